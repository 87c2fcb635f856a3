import type { Trust } from '../membership/index.ts'
import type { Gate } from './index.ts'

/** The gate of an open mesh: there is none. */
export function openGate(trust: Trust): Gate {
  const member = (peerId: string) => trust.judge('', peerId)
  const known = new Map<string, Awaited<ReturnType<typeof member>>>()
  return {
    service: () => () => ({ start() {}, stop() {} }),
    guard: create => create,
    guardHandler: handler => handler,
    member: peerId => known.get(peerId),
    proven: connection => member(connection.remotePeer.toString()),
    renew() {},
    addListener: () => () => {}
  }
}
