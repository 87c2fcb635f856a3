import type { Listener, Transport } from '@libp2p/interface'
import { type TransportCertificate, webRTC, webRTCDirect } from '@libp2p/webrtc'
import { MAX_PENDING_WEBRTC, WEBRTC_SOCKET_LINGER } from './constants.ts'
import type { IceServers } from './ice-servers.ts'
import { patientWebRtc } from './webrtc-init.ts'

type CreateWebRtc = ReturnType<typeof webRTC>
type CreateWebRtcDirect = ReturnType<typeof webRTCDirect>
export type MadeTransport = CreateWebRtc | CreateWebRtcDirect
/** Either of them. */
export type AnyTransport = (components: Parameters<CreateWebRtc>[0] & Parameters<CreateWebRtcDirect>[0]) => Transport

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
    safeWebRtcDirect(
      // Its address is known to whoever dials it: there is nothing to ask a server.
      webRTCDirect({ rtcConfiguration: { iceServers: [] }, ...(certificate == null ? {} : { certificate }) })
    ),
    patientWebRtc(webRTC({ rtcConfiguration: () => iceServers.rtcConfiguration() }))
  ]
}

/**
 * libp2p's transport, whose listener nothing that a stranger sends can end the process with. It makes a native connection
 * for every STUN packet with a name that it doesn't know, a forged sender's too: how many may be pending is bounded here.
 * And it closes its socket before its connections: a packet in between calls what is gone, so the socket goes last.
 */
function safeWebRtcDirect(create: CreateWebRtcDirect): CreateWebRtcDirect {
  return components => {
    const transport: Transport = create(components)
    const { createListener } = transport
    transport.createListener = options => guarded(createListener.call(transport, options))
    return transport
  }
}

/** What is used here of the listener, which keeps it to itself. */
interface DirectListener {
  incomingConnection(...args: unknown[]): Promise<void>
  /** there once it listens */
  stunServer?: { close(): Promise<void> }
}

function guarded(listener: Listener): Listener {
  if (!isDirectListener(listener))
    throw new Error('the WebRTC listener has another form than the one that is guarded here')
  const accept = listener.incomingConnection.bind(listener)
  const close = listener.close.bind(listener)
  let pending = 0
  let closing = false
  listener.incomingConnection = async (...args) => {
    if (closing || pending >= MAX_PENDING_WEBRTC) return
    pending++
    try {
      await accept(...args)
    } finally {
      pending--
    }
  }
  listener.close = async () => {
    closing = true
    const { stunServer } = listener
    if (stunServer != null) {
      const stop = stunServer.close.bind(stunServer)
      stunServer.close = async () => {
        setTimeout(() => void stop(), WEBRTC_SOCKET_LINGER).unref()
      }
    }
    await close()
  }
  return listener
}

function isDirectListener(listener: Listener): listener is Listener & DirectListener {
  return 'incomingConnection' in listener && typeof listener.incomingConnection === 'function'
}
