/**
 * A peer that calls over plain HTTP: its credential, and a proof by its own key for this one request (RFC 9449). Libraries
 * that check proofs on a server (`oauth4webapi`) want the access token to be a JWT of an authorization server's and leave
 * replays to others, so the proof is checked here, with `jose` for the signature.
 */
import { createHash } from 'node:crypto'
import { MeshError } from '@hedgerow/protocols/errors'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { EmbeddedJWK, errors, type JWTPayload, jwtVerify, type ProtectedHeaderParameters } from 'jose'
import type { Caller, Right } from './caller.ts'
import { PEER_RATE, PROOF_WINDOW } from './constants.ts'
import type { Proofs } from './proofs.ts'
import { unauthorized } from './refusals.ts'

/** What a credential says once it has been checked. */
export interface VerifiedCredential {
  peerId: string
  roles: readonly string[]
  /** names of services, or `*` among them */
  services: readonly string[]
  /** of data that it may see */
  classes?: readonly string[]
  /** milliseconds of the wall clock */
  expiresAt: number
  /** Whether it is good still: it may end, or be taken back. */
  isGood(): boolean
}

/** Checks a credential and its chain. @throws {MeshError} when it isn't good */
export type VerifyCredential = (token: string) => Promise<VerifiedCredential>

export interface DpopComponents {
  verifyCredential: VerifyCredential
  proofs: Proofs
  /** whether a name and port, as in URLs, are this peer's */
  isOwnHost(host: string): boolean
  /** milliseconds of the wall clock */
  now(): number
}

export interface ProvenRequest {
  method: string
  /** path and query */
  path: string
}

/** @throws {MeshError} Unauthorized or RateLimited */
export async function checkDpop(
  { verifyCredential, proofs, isOwnHost, now }: DpopComponents,
  credential: string,
  proof: string,
  { method, path }: ProvenRequest
): Promise<Caller> {
  const { payload, peerId } = await open(proof)
  const { htm, htu, iat, jti, ath } = payload
  if (htm !== method) throw refused(`is for ${shown(htm)}, and this is ${method}`)
  if (!isForHere(htu, path, isOwnHost)) throw refused(`is for ${shown(htu)}, which is not this URL`)
  if (typeof iat !== 'number' || Math.abs(now() - iat * 1000) > PROOF_WINDOW)
    throw refused(
      `must be made for each request: its time (iat) is ${shown(iat)}, here it is ${Math.floor(now() / 1000)}`
    )
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > 256)
    throw refused('needs a jti of 1 to 256 characters')
  if (ath !== createHash('sha256').update(credential).digest('base64url'))
    throw refused('is not for this credential (ath)')
  const verified = await verifyCredential(credential)
  if (verified.peerId !== peerId) throw refused('is signed by another key than that of the credential')
  const use = proofs.use(peerId, jti, iat * 1000 + PROOF_WINDOW)
  if (use === 'used') throw refused('was used before')
  if (use === 'too many')
    throw new MeshError(
      'RateLimited',
      'this peer sent more proofs than are remembered; it may call again in a minute',
      {
        retry_after: 60
      }
    )
  const services = verified.services.includes('*') ? '*' : verified.services
  const { roles, classes, isGood } = verified
  return {
    kind: 'peer',
    id: peerId,
    services,
    rights: rightsOf(roles),
    rate: PEER_RATE,
    isGood,
    ...(classes && { classes })
  }
}

/** What a member may do over HTTP. */
function rightsOf(roles: readonly string[]): Set<Right> {
  return new Set<Right>(roles.includes('admin') ? ['call', 'read', 'admin'] : ['call'])
}

/** Reads a proof that is signed by the key that it holds. */
async function open(proof: string): Promise<{ payload: JWTPayload; peerId: string }> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['EdDSA', 'Ed25519']
    })
    return { payload, peerId: peerOf(protectedHeader) }
  } catch (err) {
    if (err instanceof MeshError) throw err
    throw refused(err instanceof errors.JOSEError ? `is not good: ${err.message}` : 'can not be read')
  }
}

function peerOf({ jwk }: ProtectedHeaderParameters): string {
  if (jwk?.crv !== 'Ed25519' || jwk.x == null || 'd' in jwk) throw refused('must hold a public Ed25519 key')
  return peerIdFromPublicKey(publicKeyFromRaw(Buffer.from(jwk.x, 'base64url'))).toString()
}

/** Without query and fragment, which a proof doesn't cover; whether by TLS is for whoever ends it in front of us. */
function isForHere(htu: unknown, path: string, isOwnHost: (host: string) => boolean): boolean {
  const url = typeof htu === 'string' ? URL.parse(htu) : null
  const own = URL.parse(path, 'http://here')
  return (
    url != null && own != null && /^https?:$/.test(url.protocol) && isOwnHost(url.host) && url.pathname === own.pathname
  )
}

function refused(what: string): MeshError {
  return unauthorized(`the DPoP proof ${what}`, 'invalid_dpop_proof')
}

function shown(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 100)
}
