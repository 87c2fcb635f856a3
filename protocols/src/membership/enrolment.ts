import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import { CredentialError } from './errors.ts'
import { peerIdOfKey } from './jwt.ts'

/** What a newcomer signs to show that it holds the key of the peer it says it is. Its bytes are those of UTF-8. */
export function enrolmentText(mesh: string, nonce: string): string {
  return `hedgerow-enrol:${mesh}:${nonce}`
}

/** What a newcomer shows an issuer of itself: `POST /api/enrol`. */
export interface KeyProof {
  peerId: string
  /** base64url of the 32 bytes of its Ed25519 key */
  publicKey: string
  /** base64url of its signature, 64 bytes, over {@link enrolmentText} */
  proof: string
}

/** @param nonce as the issuer gave it: `GET /api/enrol` */
export async function proveKey(privateKey: PrivateKey, mesh: string, nonce: string): Promise<KeyProof> {
  const { raw } = privateKey.publicKey
  return {
    peerId: peerIdOfKey(raw),
    publicKey: encode(raw, 'base64url'),
    proof: encode(await privateKey.sign(fromString(enrolmentText(mesh, nonce))), 'base64url')
  }
}

/** @throws {CredentialError} WrongPeer or BadSignature */
export async function checkKeyProof(
  { peerId, publicKey, proof }: KeyProof,
  mesh: string,
  nonce: string
): Promise<void> {
  const raw = bytesOf(publicKey, 32, 'its public key')
  const signature = bytesOf(proof, 64, 'the proof')
  if (peerIdOfKey(raw) !== peerId)
    throw new CredentialError('WrongPeer', 'this public key does not belong to this peer id')
  if (!(await publicKeyFromRaw(raw).verify(fromString(enrolmentText(mesh, nonce)), signature)))
    throw new CredentialError('BadSignature', 'the proof is no signature by this key over this nonce')
}

function bytesOf(text: string, length: number, what: string): Uint8Array {
  let bytes: Uint8Array | undefined
  try {
    bytes = fromString(text, 'base64url')
  } catch {
    // said below
  }
  if (bytes?.byteLength !== length)
    throw new CredentialError('Malformed', `${what} must be ${length} bytes in base64url`)
  return bytes
}
