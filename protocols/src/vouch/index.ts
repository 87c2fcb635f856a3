/**
 * What a peer says of another that it has dialled: it is there, and proved by its key that it is itself. Whoever claims
 * to be an entry point shows such a vouch in its advert, so that everybody knows it isn't merely claimed, and by whom.
 *
 * @example
 * ```ts
 * const vouch = await sealVouch({ peerId, addr: '/ip4/192.0.2.1/tcp/4001', scope: 'public', at: 1_700_000_000 }, init)
 * const { by, addr } = await openVouch(vouch, mesh) // throws InvalidMessage
 * ```
 */
import type { PrivateKey, Record } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { RecordEnvelope } from '@libp2p/peer-record'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import { Vouch as WireVouch } from '../proto/gen/hedgerow.pb.ts'
import { checkOneOf, checkText, InvalidMessage } from '../statement/checks.ts'
import { MAX_VOUCH_SIZE, VOUCH_LEEWAY, VOUCH_LIFETIME } from './constants.ts'

export { MAX_VOUCH_SIZE, VOUCH_LEEWAY, VOUCH_LIFETIME } from './constants.ts'

/** From where it was dialled: over the internet, or within one network or machine. */
export const SCOPES = ['public', 'local'] as const
export type Scope = (typeof SCOPES)[number]

export interface Vouch {
  /** who answered */
  peerId: string
  /** the multiaddr that was dialled, with no peer id */
  addr: string
  scope: Scope
  /** seconds since 1970 by the clock of whoever vouches */
  at: number
}

export interface SealVouchInit {
  mesh: string
  privateKey: PrivateKey
}

const CODEC = fromString('/hedgerow/vouch/1')
const MAX_TEXT = 200
/** Seconds since 1970, in the year 2100. */
const MAX_AT = 4_102_444_800

const domainOf = (mesh: string): string => `hedgerow/${mesh}/vouch`

export async function sealVouch(vouch: Vouch, { mesh, privateKey }: SealVouchInit): Promise<Uint8Array> {
  const payload = WireVouch.encode({ ...vouch, at: BigInt(Math.floor(vouch.at)) }).finish()
  const record: Record = { domain: domainOf(mesh), codec: CODEC, marshal: () => payload, equals: () => false }
  return (await RecordEnvelope.seal(record, privateKey)).marshal()
}

/** Checks signature, mesh, size and every field. @returns the vouch, and who gave it @throws {InvalidMessage} */
export async function openVouch(bytes: Uint8Array, mesh: string): Promise<Vouch & { by: string }> {
  if (bytes.byteLength > MAX_VOUCH_SIZE)
    throw new InvalidMessage(`a vouch of ${bytes.byteLength} bytes; the limit is ${MAX_VOUCH_SIZE}`)
  let envelope: RecordEnvelope
  try {
    envelope = await RecordEnvelope.openAndCertify(bytes, domainOf(mesh))
  } catch (err) {
    throw new InvalidMessage('not an envelope that its signer signed for this mesh', { cause: err })
  }
  if (!equals(CODEC, envelope.payloadType)) throw new InvalidMessage('not a vouch')
  let wire: WireVouch
  try {
    wire = WireVouch.decode(envelope.payload)
  } catch (err) {
    throw new InvalidMessage("the vouch can't be decoded", { cause: err })
  }
  if (wire.at > MAX_AT) throw new InvalidMessage('at is not a time')
  return {
    by: peerIdFromPublicKey(envelope.publicKey).toString(),
    peerId: checkText('peerId', wire.peerId, MAX_TEXT),
    addr: checkText('addr', wire.addr, MAX_TEXT),
    scope: checkOneOf('scope', wire.scope, SCOPES),
    at: Number(wire.at)
  }
}

/** Whether a vouch is new enough. @param now seconds since 1970, by a clock that may be wrong by {@link VOUCH_LEEWAY} */
export function isFresh({ at }: Pick<Vouch, 'at'>, now: number): boolean {
  return at > now - VOUCH_LIFETIME - VOUCH_LEEWAY && at < now + VOUCH_LEEWAY
}
