import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { compactVerify, decodeJwt, importJWK, type JWK, SignJWT } from 'jose'
import { toString as encode } from 'uint8arrays/to-string'
import { NAME_PATTERN, PEER_ID_PATTERN } from '../ids/index.ts'
import { type Digest, MAX_RECEIPT_LENGTH, RECEIPT_TYPE, type Receipt } from './index.ts'

/** It is no receipt, or not of whom it names. The message says why, for people. */
export class InvalidReceipt extends Error {
  override readonly name = 'InvalidReceipt'
}

const ALGORITHM = 'EdDSA'
const KEY_LENGTH = 32

/** @throws {InvalidReceipt} when the key isn't Ed25519, or isn't the worker's */
export async function signReceipt(receipt: Receipt, privateKey: PrivateKey): Promise<string> {
  if (privateKey.type !== 'Ed25519') throw new InvalidReceipt(`a key of type ${privateKey.type} signs no receipts`)
  const signer = peerIdFromPrivateKey(privateKey).toString()
  if (signer !== receipt.worker) throw new InvalidReceipt(`${signer} can't sign for ${receipt.worker}`)
  const key = await importJWK(
    { ...jwkOf(privateKey.publicKey.raw), d: encode(privateKey.raw.subarray(0, KEY_LENGTH), 'base64url') },
    ALGORITHM
  )
  const { worker, requestId, startedAt, endedAt, dataClass, ...rest } = receipt
  return new SignJWT({
    ...rest,
    ...(dataClass == null ? {} : { data_class: dataClass }),
    started_at: startedAt,
    ended_at: endedAt
  })
    .setProtectedHeader({ alg: ALGORITHM, typ: RECEIPT_TYPE, kid: worker })
    .setIssuer(worker)
    .setJti(requestId)
    .setIssuedAt()
    .sign(key)
}

/**
 * Reads a receipt and checks that the worker it names signed it. Nothing is known yet of whether that worker is to be
 * believed.
 *
 * @throws {InvalidReceipt}
 */
export async function openReceipt(jws: string): Promise<Receipt> {
  if (jws.length > MAX_RECEIPT_LENGTH) throw new InvalidReceipt(`longer than ${MAX_RECEIPT_LENGTH} characters`)
  const worker = issuerOf(jws)
  let payload: Uint8Array
  try {
    const key = await importJWK(jwkOf(keyOf(worker)), ALGORITHM)
    const verified = await compactVerify(jws, key, { algorithms: [ALGORITHM] })
    if (verified.protectedHeader.typ !== RECEIPT_TYPE)
      throw new InvalidReceipt('it is signed, but as something else than a receipt')
    payload = verified.payload
  } catch (err) {
    if (err instanceof InvalidReceipt) throw err
    throw new InvalidReceipt(`it is not signed by ${worker}`, { cause: err })
  }
  return receiptIn(JSON.parse(new TextDecoder().decode(payload)), worker)
}

/** Who it says has signed it, which the signature has yet to show. */
function issuerOf(jws: string): string {
  let issuer: unknown
  try {
    issuer = decodeJwt(jws).iss
  } catch (err) {
    throw new InvalidReceipt('it is not a JWT', { cause: err })
  }
  if (typeof issuer !== 'string' || !PEER_ID.test(issuer)) throw new InvalidReceipt('it names no peer as its signer')
  return issuer
}

function keyOf(worker: string): Uint8Array {
  const { publicKey } = peerIdFromString(worker)
  if (publicKey?.type !== 'Ed25519') throw new InvalidReceipt(`the key of ${worker} is none that signs receipts`)
  return publicKey.raw
}

function jwkOf(raw: Uint8Array): JWK {
  return { kty: 'OKP', crv: 'Ed25519', x: encode(raw, 'base64url') }
}

const NAME = new RegExp(NAME_PATTERN)
const PEER_ID = new RegExp(PEER_ID_PATTERN)
const REQUEST_ID = /^[\w.:-]{1,128}$/
const SHA256 = /^[\da-f]{64}$/
const OPERATION = /^([A-Z]{1,20}|\*) \/[\x21-\x7e]{0,511}$/
const CALLER = /^[\x21-\x7e]{1,300}$/

function receiptIn(claims: unknown, worker: string): Receipt {
  const fields = new Fields(claims)
  const request = new Fields(fields.get('request'), 'request.')
  const receipt: Receipt = {
    worker,
    requestId: fields.text('jti', REQUEST_ID),
    mesh: fields.text('mesh', NAME),
    service: fields.text('service', NAME),
    operation: fields.text('operation', OPERATION),
    caller: fields.text('caller', CALLER),
    depth: fields.number('depth', 16),
    request: { ...digestIn(request), complete: request.get('complete') === true },
    answer: digestIn(new Fields(fields.get('answer'), 'answer.')),
    status: fields.number('status', 999),
    startedAt: fields.number('started_at', MAX_TIME),
    endedAt: fields.number('ended_at', MAX_TIME)
  }
  if (fields.get('data_class') !== undefined) receipt.dataClass = fields.text('data_class', NAME)
  return receipt
}

/** Milliseconds: the last that `Date` knows. */
const MAX_TIME = 8.64e15

function digestIn(fields: Fields): Digest {
  return { bytes: fields.number('bytes', Number.MAX_SAFE_INTEGER), sha256: fields.text('sha256', SHA256) }
}

class Fields {
  readonly #of: object
  readonly #prefix: string

  constructor(value: unknown, prefix = '') {
    if (typeof value !== 'object' || value == null) throw new InvalidReceipt('it lacks what a receipt says')
    this.#of = value
    this.#prefix = prefix
  }

  get(name: string): unknown {
    return Object.hasOwn(this.#of, name) ? Reflect.get(this.#of, name) : undefined
  }

  text(name: string, pattern: RegExp): string {
    const value = this.get(name)
    if (typeof value === 'string' && pattern.test(value)) return value
    throw new InvalidReceipt(`its ${this.#prefix}${name} is missing or malformed`)
  }

  number(name: string, max: number): number {
    const value = this.get(name)
    if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max) return Number(value)
    throw new InvalidReceipt(`its ${this.#prefix}${name} is missing or malformed`)
  }
}
