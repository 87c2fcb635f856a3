import type { Listener, Transport } from '@libp2p/interface'
import { type TransportCertificate, webRTC, webRTCDirect } from '@libp2p/webrtc'
import { MAX_PENDING_WEBRTC } from './constants.ts'
import type { IceServers } from './ice-servers.ts'

type CreateWebRtc = ReturnType<typeof webRTC>
type CreateWebRtcDirect = ReturnType<typeof webRTCDirect>
export type MadeTransport = CreateWebRtc | CreateWebRtcDirect

export interface WebRtcInit {
  /** whose hash is in the address; @default a new one at each start */
  certificate?: TransportCertificate
  iceServers: IceServers
}

/**
 * WebRTC both ways: dialled at a UDP port of this peer, and arranged through a relay. Servers are always named, if only
 * as none: left out, libp2p asks public STUN servers that nobody chose.
 */
export function webRtcTransports({ certificate, iceServers }: WebRtcInit): MadeTransport[] {
  return [
    boundedWebRtcDirect(
      // Its address is known to whoever dials it: there is nothing to ask a server.
      webRTCDirect({ rtcConfiguration: { iceServers: [] }, ...(certificate == null ? {} : { certificate }) })
    ),
    webRTC({ rtcConfiguration: () => iceServers.rtcConfiguration() })
  ]
}

/**
 * libp2p's listener makes a native connection for every STUN packet with a name that it doesn't know, and one packet
 * with a forged sender is enough: how many may be pending is bounded here.
 */
function boundedWebRtcDirect(create: CreateWebRtcDirect): CreateWebRtcDirect {
  return components => {
    const transport: Transport = create(components)
    const { createListener } = transport
    transport.createListener = options => bounded(createListener.call(transport, options))
    return transport
  }
}

/** What is used here of the listener, which keeps it to itself. */
interface AcceptingListener {
  incomingConnection(...args: unknown[]): Promise<void>
}

function bounded(listener: Listener): Listener {
  if (!isAccepting(listener)) throw new Error('the WebRTC listener has another form than the one that is bounded here')
  const accept = listener.incomingConnection.bind(listener)
  let pending = 0
  listener.incomingConnection = async (...args) => {
    if (pending >= MAX_PENDING_WEBRTC) return
    pending++
    try {
      await accept(...args)
    } finally {
      pending--
    }
  }
  return listener
}

function isAccepting(listener: Listener): listener is Listener & AcceptingListener {
  return 'incomingConnection' in listener && typeof listener.incomingConnection === 'function'
}
