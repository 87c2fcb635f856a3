/** What a relay lends to peers that nobody can dial: a place each, at which others reach them. */
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import type { PeerId } from '@libp2p/interface'
import {
  RELAY_CLIENT_RESERVATIONS,
  RELAY_DATA_LIMIT,
  RELAY_DURATION_LIMIT,
  RELAY_MAX_HOP_STREAMS,
  RELAY_MAX_RESERVATIONS,
  RELAY_RESERVATION_TTL
} from './constants.ts'

export interface RelayServiceComponents {
  /** whether a peer may offer something, so that others have a reason to reach it */
  offers(peerId: string): boolean
}

export interface RelayPlaces {
  /** for libp2p's `services` */
  service: ReturnType<typeof circuitRelayServer>
  /** for libp2p's `connectionGater`: clients may hold few of the places, so that workers find some */
  denyInboundRelayReservation(source: PeerId): boolean
}

export function relayPlaces({ offers }: RelayServiceComponents): RelayPlaces {
  const create = circuitRelayServer({
    maxInboundHopStreams: RELAY_MAX_HOP_STREAMS,
    reservations: {
      maxReservations: RELAY_MAX_RESERVATIONS,
      reservationTtl: RELAY_RESERVATION_TTL,
      defaultDurationLimit: RELAY_DURATION_LIMIT,
      defaultDataLimit: RELAY_DATA_LIMIT
    }
  })
  let relay: CircuitRelayService | undefined
  return {
    service(components) {
      relay = create(components)
      return relay
    },
    denyInboundRelayReservation(source) {
      if (relay == null || offers(source.toString()) || relay.reservations.has(source)) return false
      let clients = 0
      for (const peer of relay.reservations.keys()) if (!offers(peer.toString())) clients++
      return clients >= RELAY_CLIENT_RESERVATIONS
    }
  }
}
