/**
 * What a peer says to everybody, signed by its own key so that anyone may store it or pass it on: its advert, its
 * goodbye, its load reports. A libp2p signed envelope (RFC 0002) whose domain names the mesh, so that a statement made
 * in one mesh means nothing in another.
 *
 * @example
 * ```ts
 * const bytes = await sealStatement({ type: 'goodbye', goodbye: { peerId, sequence } }, { mesh, privateKey })
 * const statement = await openStatement(bytes, mesh) // throws InvalidMessage
 * ```
 */

import type { PrivateKey, Record } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromPublicKey } from '@libp2p/peer-id'
import { RecordEnvelope } from '@libp2p/peer-record'
import { equals } from 'uint8arrays/equals'
import { fromString } from 'uint8arrays/from-string'
import {
  type Advert,
  decodeAdvert,
  decodeGoodbye,
  encodeAdvert,
  encodeGoodbye,
  type Goodbye,
  MAX_ADVERT_SIZE
} from '../advert/index.ts'
import { decodeLoadReport, encodeLoadReport, type LoadReport, MAX_REPORT_SIZE } from '../load/index.ts'
import { InvalidMessage } from './checks.ts'

export { InvalidMessage } from './checks.ts'

export type Statement =
  | { type: 'advert'; advert: Advert }
  | { type: 'goodbye'; goodbye: Goodbye }
  | { type: 'load'; report: LoadReport }

export interface SealInit {
  mesh: string
  privateKey: PrivateKey
}

/** Envelope, public key and signature beside the payload. */
const ENVELOPE_OVERHEAD = 512

const PAYLOAD_TYPES: { [type in Statement['type']]: { codec: Uint8Array; maxSize: number } } = {
  advert: { codec: fromString('/hedgerow/advert/1'), maxSize: MAX_ADVERT_SIZE },
  goodbye: { codec: fromString('/hedgerow/goodbye/1'), maxSize: ENVELOPE_OVERHEAD },
  load: { codec: fromString('/hedgerow/load/1'), maxSize: MAX_REPORT_SIZE }
}

/** The largest statement there is, in bytes. */
export const MAX_STATEMENT_SIZE = MAX_ADVERT_SIZE

const domainOf = (mesh: string): string => `hedgerow/${mesh}`

/** Signs a statement about the signer itself. @throws {InvalidMessage} when it is larger than peers accept */
export async function sealStatement(statement: Statement, { mesh, privateKey }: SealInit): Promise<Uint8Array> {
  const { codec, maxSize } = PAYLOAD_TYPES[statement.type]
  const payload = encode(statement)
  const signer = peerIdFromPrivateKey(privateKey).toString()
  if (subjectOf(statement) !== signer)
    throw new InvalidMessage(`a peer speaks for itself only: ${signer} can't sign for ${subjectOf(statement)}`)
  const record: Record = { domain: domainOf(mesh), codec, marshal: () => payload, equals: () => false }
  const bytes = (await RecordEnvelope.seal(record, privateKey)).marshal()
  if (bytes.byteLength > maxSize)
    throw new InvalidMessage(`this ${statement.type} takes ${bytes.byteLength} bytes; peers accept ${maxSize}`)
  return bytes
}

/** Checks signature, mesh, size and every field. @throws {InvalidMessage} */
export async function openStatement(bytes: Uint8Array, mesh: string): Promise<Statement> {
  if (bytes.byteLength > MAX_STATEMENT_SIZE)
    throw new InvalidMessage(`a statement of ${bytes.byteLength} bytes; the limit is ${MAX_STATEMENT_SIZE}`)
  let envelope: RecordEnvelope
  try {
    envelope = await RecordEnvelope.openAndCertify(bytes, domainOf(mesh))
  } catch (err) {
    throw new InvalidMessage('not an envelope that its signer signed for this mesh', { cause: err })
  }
  const peerId = peerIdFromPublicKey(envelope.publicKey).toString()
  for (const [type, { codec, maxSize }] of Object.entries(PAYLOAD_TYPES)) {
    if (!equals(codec, envelope.payloadType)) continue
    if (bytes.byteLength > maxSize)
      throw new InvalidMessage(`a ${type} of ${bytes.byteLength} bytes; the limit is ${maxSize}`)
    try {
      return decode(type, envelope.payload, peerId)
    } catch (err) {
      if (err instanceof InvalidMessage) throw err
      throw new InvalidMessage(`the ${type} can't be decoded`, { cause: err })
    }
  }
  throw new InvalidMessage('a payload type that this version does not know')
}

/** Whom a statement is about. */
export function subjectOf(statement: Statement): string {
  switch (statement.type) {
    case 'advert':
      return statement.advert.peerId
    case 'goodbye':
      return statement.goodbye.peerId
    case 'load':
      return statement.report.peerId
  }
}

function encode(statement: Statement): Uint8Array {
  switch (statement.type) {
    case 'advert':
      return encodeAdvert(statement.advert)
    case 'goodbye':
      return encodeGoodbye(statement.goodbye)
    case 'load':
      return encodeLoadReport(statement.report)
  }
}

function decode(type: string, payload: Uint8Array, peerId: string): Statement {
  switch (type) {
    case 'advert':
      return { type, advert: decodeAdvert(payload, peerId) }
    case 'goodbye':
      return { type, goodbye: decodeGoodbye(payload, peerId) }
    default:
      return { type: 'load', report: decodeLoadReport(payload, peerId) }
  }
}
