import type { StreamMuxerFactory, Upgrader } from '@libp2p/interface'
import type { webRTC } from '@libp2p/webrtc'
import { pEvent } from 'p-event'
import { WEBRTC_INIT_TIMEOUT } from './constants.ts'

type CreateWebRtc = ReturnType<typeof webRTC>

/** The channel that whoever dials opens first, so that there is something to connect for, and closes when it is open. */
const INIT = 'init'

/**
 * libp2p's transport, except that it waits for whoever dials to have closed its first channel. Left alone, it closes that
 * channel itself as soon as it is there; a browser that is slower then waits until its time is up for a channel to open
 * that has been closed. That were one or two dials in a hundred.
 */
export function patientWebRtc(create: CreateWebRtc): CreateWebRtc {
  return components => create(replacing(components, 'upgrader', patient(components.upgrader)))
}

function patient(upgrader: Upgrader): Upgrader {
  const upgradeInbound: Upgrader['upgradeInbound'] = async (connection, options) => {
    const { muxerFactory } = options
    if (muxerFactory != null && isChannelFactory(muxerFactory)) await initIsClosed(muxerFactory)
    return upgrader.upgradeInbound(connection, options)
  }
  return replacing(upgrader, 'upgradeInbound', upgradeInbound)
}

/** What is used here of the factory, which keeps it to itself: channels that came before anybody took them. */
interface ChannelFactory {
  peerConnection: RTCPeerConnection
  earlyDataChannels: Array<{ channel: RTCDataChannel }>
}

function isChannelFactory(factory: StreamMuxerFactory): factory is StreamMuxerFactory & ChannelFactory {
  return 'peerConnection' in factory && 'earlyDataChannels' in factory && Array.isArray(factory.earlyDataChannels)
}

/** Resolves in any case: what other implementations do with their first channel is theirs. */
async function initIsClosed({ peerConnection, earlyDataChannels }: ChannelFactory): Promise<void> {
  const signal = AbortSignal.timeout(WEBRTC_INIT_TIMEOUT)
  try {
    const channel =
      earlyDataChannels.find(early => early.channel.label === INIT)?.channel ??
      (
        await pEvent<string, RTCDataChannelEvent>(peerConnection, 'datachannel', {
          signal,
          filter: event => event.channel.label === INIT
        })
      ).channel
    if (channel.readyState !== 'closed') await pEvent(channel, 'close', { signal })
  } catch (err) {
    if (!signal.aborted) throw err
  }
}

/** The same object but for one of its members; its own methods don't notice. */
function replacing<T extends object, K extends keyof T>(object: T, name: K, value: T[K]): T {
  return new Proxy(object, {
    get(target, key) {
      if (key === name) return value
      const member: unknown = Reflect.get(target, key, target)
      return typeof member === 'function' ? member.bind(target) : member
    }
  })
}
