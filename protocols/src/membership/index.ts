/**
 * Who is in a closed mesh, and who may do what there: credentials, invites, revocations.
 *
 * A mesh has an authority, an Ed25519 key that lives offline. A credential is a token (JWT, EdDSA) that it, or an issuer
 * that it named, has signed: this peer has these roles, for these services and classes of data, until then. A peer shows
 * it as a chain: its own credential and, when an issuer signed that, the issuer's. An issuer grants less than it has,
 * `client` and `worker` only, and never `confidential`.
 *
 * @example
 * ```ts
 * const chain = await grant({ mesh, subject, roles: ['worker'], services: ['*'], classes: ['internal'], ttl: 86_400 },
 *   { privateKey: authority })
 * const trust = createTrust({ mesh, authority: authority.publicKey.raw })
 * const member = await trust.judge(chain, { peerId: subject }) // throws CredentialError
 * ```
 */
export { believe, isForgery, mayOffer } from './believe.ts'
export {
  LEEWAY,
  MAX_CHAIN_LENGTH,
  MAX_REVOCATIONS,
  MAX_REVOCATIONS_BY_ISSUER,
  MAX_TOKEN,
  MAX_TTL,
  MAX_USES
} from './constants.ts'
export { checkKeyProof, type KeyProof, noncePrefix, proveKey } from './enrolment.ts'
export { CREDENTIAL_FAULTS, CredentialError, type CredentialFault } from './errors.ts'
export {
  type GrantInit,
  type GrantSigner,
  grant,
  isWithin,
  type Rights,
  readChain,
  verifyChain,
  withinIssuer
} from './grant.ts'
export { type Invite, type InviteInit, openInvite, readInvite, sealInvite } from './invite.ts'
export { peekToken, peerIdOfKey, publicKeyOf, signToken, type TokenType, verifyToken } from './jwt.ts'
export { isAuthorityOf, meshIdOf } from './mesh-id.ts'
export {
  inviteSubject,
  openRevocation,
  type Revocation,
  type RevocationInit,
  Revocations,
  sealRevocation
} from './revocation.ts'
export { createTrust, openTrust, type Trust, type TrustInit } from './trust.ts'

/**
 * - `relay` introduces peers, carries their connections, and bridges HTTP
 * - `worker` offers services
 * - `client` asks only
 * - `issuer` signs credentials of clients and workers
 * - `admin` may ask peers for what is for operators only
 */
export const MEMBER_ROLES = ['relay', 'worker', 'client', 'issuer', 'admin'] as const
export type MemberRole = (typeof MEMBER_ROLES)[number]

/** Times in seconds since 1970. */
export interface Credential {
  id: string
  /** `authority`, or the issuer's peer id */
  issuer: string
  /** the peer id whose it is */
  subject: string
  mesh: string
  roles: MemberRole[]
  /** what a worker may offer, or a client ask for; `*` is all */
  services: string[]
  /** classes of data that it may see (see `data-class`) */
  classes: string[]
  issuedAt: number
  notBefore: number
  expiresAt: number
  /**
   * seconds that its issuer's next one for this peer may last, without anybody being asked again; left out where whoever
   * let the peer in decides each time
   */
  renewal?: number
}

/** A peer whose chain was found good. */
export interface Member {
  peerId: string
  credential: Credential
  /** of the peer and of its issuer: who can be revoked so that this ends */
  chain: readonly Credential[]
  /** when the first of the chain ends */
  expiresAt: number
}

export function covers(names: readonly string[], name: string): boolean {
  return names.includes('*') || names.includes(name)
}
