/**
 * Proof of membership on every connection of a closed mesh. Right after a connection opens its dialler shows its
 * credential and gets the other's; until both are found good, every other protocol is closed between the two: streams
 * that come in are held back or reset, and whoever would use the peer (gossip, DHT, relay, HTTP) isn't told of it. What
 * stays open to anybody is identify, ping and this handshake.
 *
 * The proof needs no challenge: the connection's own encryption has shown whose key the other side holds, and a
 * credential names the peer it is for.
 *
 * @example
 * ```ts
 * const gate = createGate({ trust })
 * const node = await createLibp2p({ services: { gate: gate.service(), dht: gate.guard(kadDHT(init)) }, ... })
 * gate.member(peerId)?.credential.roles
 * ```
 */
import type { Connection, Libp2pEvents, Startable, StreamHandler, TypedEventTarget } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { CredentialError, Member, Trust } from '../membership/index.ts'
import { ClosedGate } from './gate.ts'
import { openGate } from './open.ts'

export { MAX_HELD, MAX_UNPROVEN, MAX_WAITING_STREAMS, PROOF_TIMEOUT } from './constants.ts'

/** The parts of a libp2p node that the handshake needs. */
export interface GateComponents {
  registrar: Pick<Registrar, 'handle' | 'unhandle'>
  events: TypedEventTarget<Libp2pEvents>
}

export interface GateInit {
  trust: Trust
  /** milliseconds that a connection may take to prove itself. @default 10 s */
  proofTimeout?: number
  /** connections by others that may be without proof at once. @default 256 */
  maxUnproven?: number
  /** milliseconds between two looks for credentials that have ended. @default 5 s */
  sweepInterval?: number
  /** a connection ends because one side doesn't believe the other */
  onRefusal?(refusal: Refusal): void
}

export interface Refusal {
  peerId: string
  error: CredentialError
  /** who refuses whom */
  by: 'us' | 'them'
}

export type GateChange = { type: 'joined' | 'left'; peerId: string }

export interface Gate {
  /** the part that libp2p starts and stops */
  service(): (components: GateComponents) => Startable
  /** makes a libp2p service or transport whose protocols are closed to everybody else */
  guard<C, T>(create: (components: C) => T): (components: C) => T
  /** the same for one protocol's handler */
  guardHandler(handler: StreamHandler): StreamHandler
  /** the same question as {@link Gate.member}, for every request */
  isMember(peerId: string): boolean
  /** who is connected and has proven to be a member; in an open mesh, whoever is asked for */
  member(peerId: string): Member | undefined
  /** Waits until the other side of a connection has proven it. @throws {CredentialError} or the signal's reason */
  proven(connection: Connection, signal?: AbortSignal): Promise<Member>
  /** shows this peer's credential, which is a new one, to whoever is connected */
  renew(): void
  addListener(listener: (change: GateChange) => void): () => void
}

export function createGate(init: GateInit): Gate {
  return init.trust.authority == null ? openGate(init.trust) : new ClosedGate(init)
}
