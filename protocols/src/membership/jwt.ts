/** Signed tokens (RFC 7519, EdDSA) with the keys that peers have. */
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { toString as encode } from 'uint8arrays/to-string'
import { LEEWAY, MAX_TOKEN } from './constants.ts'
import { CredentialError, type CredentialFault } from './errors.ts'

const ALGORITHM = 'EdDSA'

/** What a token is for: one made for one purpose is never taken for another (RFC 8725, 3.11). */
export type TokenType = 'credential' | 'invite' | 'revocation' | 'receipt'

const typOf = (type: TokenType): string => `hedgerow-${type}+jwt`

/** @param privateKey Ed25519 */
export async function signToken(type: TokenType, claims: JWTPayload, privateKey: PrivateKey): Promise<string> {
  const key = await importJWK(
    {
      kty: 'OKP',
      crv: 'Ed25519',
      x: encode(privateKey.publicKey.raw, 'base64url'),
      d: encode(privateKey.raw.subarray(0, 32), 'base64url')
    },
    ALGORITHM
  )
  return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: typOf(type) }).sign(key)
}

export interface VerifyInit {
  /** the signer's public key: 32 bytes of Ed25519 */
  key: Uint8Array
  /** seconds since 1970 */
  now: number
}

/** Checks a token's signature, purpose and times. @returns its claims, not yet checked @throws {CredentialError} */
export async function verifyToken(type: TokenType, token: string, { key, now }: VerifyInit): Promise<JWTPayload> {
  if (token.length > MAX_TOKEN)
    throw new CredentialError('Malformed', `a ${type} of ${token.length} characters; the limit is ${MAX_TOKEN}`)
  try {
    const imported = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: encode(key, 'base64url') }, ALGORITHM)
    const { payload } = await jwtVerify(token, imported, {
      algorithms: [ALGORITHM],
      typ: typOf(type),
      clockTolerance: LEEWAY,
      currentDate: new Date(now * 1000)
    })
    return payload
  } catch (err) {
    throw new CredentialError(faultOf(err), `this ${type} ${wordsOf(err)}`, { cause: err })
  }
}

/** What a token says before anybody has checked it: to find out whose key must have signed it. */
export function peekToken(token: string): Record<string, unknown> {
  const [, payload = ''] = token.length <= MAX_TOKEN ? token.split('.') : []
  try {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(base64url(payload)))
    if (typeof claims === 'object' && claims != null) return { ...claims }
  } catch {
    // said below
  }
  throw new CredentialError('Malformed', 'this is not a signed token')
}

function base64url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), char => char.charCodeAt(0))
}

/** @throws {CredentialError} when the peer's key isn't Ed25519 */
export function publicKeyOf(peerId: string): Uint8Array {
  let key: { type: string; raw: Uint8Array } | undefined
  try {
    key = peerIdFromString(peerId).publicKey
  } catch (err) {
    throw new CredentialError('Malformed', 'it names something that is no peer id', { cause: err })
  }
  if (key?.type !== 'Ed25519') throw new CredentialError('Malformed', 'members have Ed25519 keys; this peer has not')
  return key.raw
}

export function peerIdOfKey(publicKey: Uint8Array): string {
  const key = publicKeyFromRaw(publicKey)
  if (key.type !== 'Ed25519') throw new CredentialError('Malformed', 'members have Ed25519 keys; this is another')
  return peerIdFromPublicKey(key).toString()
}

function codeOf(err: unknown): string {
  return err instanceof Error && 'code' in err ? String(err.code) : ''
}

function faultOf(err: unknown): CredentialFault {
  switch (codeOf(err)) {
    case 'ERR_JWT_EXPIRED':
      return 'Expired'
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return 'BadSignature'
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      return err instanceof Error && 'claim' in err && err.claim === 'nbf' ? 'NotYetValid' : 'Malformed'
    default:
      return 'Malformed'
  }
}

function wordsOf(err: unknown): string {
  switch (faultOf(err)) {
    case 'Expired':
      return 'has expired'
    case 'NotYetValid':
      return 'is not valid yet'
    case 'BadSignature':
      return 'is not signed by who must have signed it'
    default:
      return "is none, or can't be read"
  }
}
