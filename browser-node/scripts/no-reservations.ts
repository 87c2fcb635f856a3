/**
 * In place of what a circuit transport does for those who can be reached through relays: finding relays, and a place at
 * each. Nobody dials a page. 5 kB.
 */
export class RelayDiscovery extends EventTarget {
  start(): void {}
  stop(): void {}
  startDiscovery(): void {}
  stopDiscovery(): void {}
}

export class ReservationStore extends EventTarget {
  start(): void {}
  stop(): void {}
  /** so that whoever tries all the same is refused */
  hasReservation(): boolean {
    return false
  }
}

export class PeerFilter {}
/** of the peers that a discovery has met */
export const peerFilter = (): undefined => undefined
