import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import { CredentialError } from './errors.ts'
import { peerIdOfKey } from './jwt.ts'

/**
 * How a nonce for enrolment begins. It is signed as it is, so it says itself what it is for: no issuer can have a
 * newcomer sign anything else.
 */
export function noncePrefix(mesh: string): string {
  return `hedgerow-enrol:${mesh}:`
}

/** @throws {CredentialError} Malformed */
function signable(mesh: string, nonce: string): Uint8Array {
  if (nonce.startsWith(noncePrefix(mesh))) return fromString(nonce)
  throw new CredentialError('Malformed', `this is no nonce for enrolment in ${mesh}`)
}

/** What a newcomer shows an issuer of itself: `POST /api/enrol`. */
export interface KeyProof {
  peerId: string
  /** base64url of the 32 bytes of its Ed25519 key */
  publicKey: string
  /** base64url of its signature, 64 bytes, over the UTF-8 bytes of the nonce */
  proof: string
}

/** @param nonce as the issuer gave it: `GET /api/enrol` @throws {CredentialError} Malformed, when it is something else */
export async function proveKey(privateKey: PrivateKey, mesh: string, nonce: string): Promise<KeyProof> {
  const { raw } = privateKey.publicKey
  return {
    peerId: peerIdOfKey(raw),
    publicKey: encode(raw, 'base64url'),
    proof: encode(await privateKey.sign(signable(mesh, nonce)), 'base64url')
  }
}

/** @throws {CredentialError} Malformed, WrongPeer or BadSignature */
export async function checkKeyProof(
  { peerId, publicKey, proof }: KeyProof,
  mesh: string,
  nonce: string
): Promise<void> {
  const raw = bytesOf(publicKey, 32, 'its public key')
  const signature = bytesOf(proof, 64, 'the proof')
  if (peerIdOfKey(raw) !== peerId)
    throw new CredentialError('WrongPeer', 'this public key does not belong to this peer id')
  if (!(await publicKeyFromRaw(raw).verify(signable(mesh, nonce), signature)))
    throw new CredentialError('BadSignature', 'the proof is no signature by this key over this nonce')
}

function bytesOf(text: string, length: number, what: string): Uint8Array {
  let bytes: Uint8Array | undefined
  try {
    // in either alphabet, padded or not
    bytes = fromString(text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''), 'base64url')
  } catch {
    // said below
  }
  if (bytes?.byteLength !== length)
    throw new CredentialError('Malformed', `${what} must be ${length} bytes in base64url`)
  return bytes
}
