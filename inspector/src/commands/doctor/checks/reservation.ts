import type { Check, Verdict } from '../index.ts'

/** Milliseconds that a place on a relay may take. */
const PATIENCE = 4500

export const reservation: Check = {
  id: 'reservation',
  title: 'relayed path',
  limit: PATIENCE + 500,
  needs: ['join'],
  late: 'try again',
  async look({ joined }, signal) {
    if (joined == null) throw new Error('it has not joined')
    const { node } = joined.peer
    const places = (): string[] =>
      node
        .getMultiaddrs()
        .map(String)
        .filter(addr => addr.includes('/p2p-circuit'))
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
    const changed = Promise.withResolvers<void>()
    const look = (): void => {
      if (places().length > 0) changed.resolve()
    }
    node.addEventListener('self:peer:update', look)
    patience.addEventListener('abort', () => changed.resolve(), { once: true })
    look()
    await changed.promise
    node.removeEventListener('self:peer:update', look)
    return judgeReservation(places())
  }
}

/** @param places multiaddrs by which others reach this peer through a relay */
export function judgeReservation(places: readonly string[]): Verdict {
  const relays = new Set(places.map(place => /\/p2p\/(\w+)\/p2p-circuit/.exec(place)?.[1] ?? place))
  if (relays.size > 0)
    return {
      state: 'well',
      found: `${relays.size} ${relays.size === 1 ? 'relay keeps' : 'relays keep'} a place, so a worker here can be reached through ${relays.size === 1 ? 'it' : 'them'}`
    }
  return {
    state: 'wrong',
    found: 'no relay keeps a place for this machine',
    fix: 'its relays are full, or refuse it (their logs say which): start one more relay'
  }
}
