import type { Gate } from '@hedgerow/protocols/gate'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey, Startable } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import { noise } from '@libp2p/noise'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import type { KeyStorage } from './index.ts'

export interface NodeInit {
  privateKey: PrivateKey
  iceServers: RTCIceServer[]
  gate: Gate
}

// A type alias, not an interface: libp2p's ServiceMap asks for an index signature.
type PageServices = {
  identify: Identify
  gate: Startable
  /** dials one address by itself: libp2p's own dials try one address of a peer after the other */
  transports: TransportManager
}

export type PageNode = Libp2p<PageServices>

/** A libp2p node as small as a page needs it: it dials, and nobody dials it; no DHT, no gossip. */
export async function createNode({ privateKey, iceServers, gate }: NodeInit): Promise<PageNode> {
  const rtcConfiguration = { iceServers }
  return createLibp2p<PageServices>({
    privateKey,
    addresses: { listen: [] },
    transports: [
      webSockets(),
      circuitRelayTransport(),
      webRTC({ rtcConfiguration }),
      webRTCDirect({ rtcConfiguration })
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({ streamOptions: { maxStreamWindowSize: 1024 * 1024, maxReadBufferLength: 4 * 1024 * 1024 } })
    ],
    // What a page may reach is for the browser to say; a worker on the same network has a private address.
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
    connectionManager: { reconnectRetries: 0 },
    services: {
      identify: identify(),
      gate: gate.service(),
      transports: (components: { transportManager: TransportManager }) => components.transportManager
    }
  })
}

const KEY = 'hedgerow-key'

/** The page's key: a new one, or the one that it had before. */
export async function loadKey(storage: KeyStorage | undefined): Promise<PrivateKey> {
  if (storage == null) return generateKeyPair('Ed25519')
  try {
    const stored = storage.getItem(KEY)
    if (stored != null) return privateKeyFromProtobuf(fromString(stored, 'base64'))
  } catch {
    // Rubbish, or storage that the browser forbids: a new key is as good for everybody else.
  }
  const made = await generateKeyPair('Ed25519')
  try {
    storage.setItem(KEY, encode(privateKeyToProtobuf(made), 'base64'))
  } catch {
    // then the page is another peer next time
  }
  return made
}
