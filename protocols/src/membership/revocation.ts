import { randomHex } from '../random/index.ts'
import * as claims from './claims.ts'
import { LEEWAY, MAX_REVOCATIONS, MAX_REVOCATIONS_BY_ISSUER, MAX_TTL } from './constants.ts'
import { CredentialError } from './errors.ts'
import { type GrantSigner, SEPARATOR, type VerifyChainInit, verifyChain } from './grant.ts'
import type { Credential } from './index.ts'
import { peerIdOfKey, publicKeyOf, signToken, verifyToken } from './jwt.ts'

/**
 * Takes credentials back before they end: all of a peer that were issued until then. Or an invite, which lets nobody in
 * from then on. Times in seconds since 1970.
 */
export interface Revocation {
  id: string
  mesh: string
  /** `authority`, or the peer id of the issuer, which takes back only what it granted */
  issuer: string
  /** whose credentials, by peer id; or {@link inviteSubject} */
  subject: string
  /** those issued later are good: a peer can be let in again */
  issuedUntil: number
  /** when the last of them has ended by itself, and this needs no longer be kept */
  expiresAt: number
}

/** How a revocation names an invite. */
export function inviteSubject(id: string): string {
  return `invite:${id}`
}

export type RevocationInit = Pick<Revocation, 'mesh' | 'subject' | 'expiresAt'> & {
  /** seconds since 1970. @default now */
  now?: number
}

/** @returns a token, followed by its issuer's chain when an issuer signed it */
export async function sealRevocation(init: RevocationInit, { privateKey, chain }: GrantSigner): Promise<string> {
  const now = Math.floor(init.now ?? Date.now() / 1000)
  const signed = {
    iss: chain == null ? 'authority' : peerIdOfKey(privateKey.publicKey.raw),
    sub: init.subject,
    mesh: init.mesh,
    iat: now,
    exp: init.expiresAt,
    jti: randomHex(16)
  }
  revocationOf(signed)
  const token = await signToken('revocation', signed, privateKey)
  return chain == null ? token : `${token}${SEPARATOR}${chain}`
}

/** @throws {CredentialError} */
export async function openRevocation(text: string, init: VerifyChainInit): Promise<Revocation> {
  const [token = '', chain, ...more] = text.split(SEPARATOR)
  if (more.length > 0) throw new CredentialError('Malformed', 'only whom the authority made an issuer takes back')
  let by = 'authority'
  let key = init.authority
  if (chain != null) {
    const issuer = await verifyChain(chain, init)
    if (!issuer.credential.roles.includes('issuer'))
      throw new CredentialError('ExceedsIssuer', 'only the authority and its issuers take credentials back')
    by = issuer.peerId
    key = publicKeyOf(by)
  }
  const revocation = revocationOf(await verifyToken('revocation', token, { key, now: init.now }))
  if (revocation.mesh !== init.mesh) throw new CredentialError('WrongMesh', `this revocation is for ${revocation.mesh}`)
  if (revocation.issuer !== by)
    throw new CredentialError('BadSignature', 'this revocation names another issuer than the one that signed it')
  if (by === 'authority') return revocation
  // Else an issuer could take up room for ever, or take back what it has yet to grant.
  const { issuedUntil, expiresAt } = revocation
  if (issuedUntil > init.now + LEEWAY) throw new CredentialError('NotYetValid', 'this revocation is not valid yet')
  return { ...revocation, expiresAt: Math.min(expiresAt, issuedUntil + MAX_TTL) }
}

function revocationOf(signed: Record<string, unknown>): Revocation {
  return {
    id: claims.id(signed),
    mesh: claims.mesh(signed),
    issuer: claims.issuer(signed),
    subject: claims.revoked(signed),
    issuedUntil: claims.time(signed, 'iat'),
    expiresAt: claims.time(signed, 'exp')
  }
}

interface Kept {
  revocation: Revocation
  token: string
}

/** The revocations that a peer knows: at most one by each issuer of each subject, the newest. */
export class Revocations {
  readonly #kept = new Map<string, Kept>()

  /** @returns whether this was news */
  add(revocation: Revocation, token: string): boolean {
    const key = `${revocation.issuer} ${revocation.subject}`
    const known = this.#kept.get(key)
    if (known != null && known.revocation.issuedUntil >= revocation.issuedUntil) return false
    if (known == null && !this.#hasRoomFor(revocation.issuer)) return false
    this.#kept.set(key, { revocation, token })
    return true
  }

  /** Issuers can't fill it up, so that the authority always gets through. */
  #hasRoomFor(issuer: string): boolean {
    if (issuer === 'authority') return this.#kept.size < MAX_REVOCATIONS
    let own = 0
    for (const { revocation } of this.#kept.values()) if (revocation.issuer === issuer) own++
    return own < MAX_REVOCATIONS_BY_ISSUER && this.#kept.size < MAX_REVOCATIONS / 2
  }

  /** Whether the authority, or the issuer of this credential, has taken it back. */
  includes({ subject, issuer, issuedAt }: Credential): boolean {
    return issuedAt <= (this.issuedUntil(subject, issuer) ?? -1)
  }

  /** Until when what the authority, or this issuer, gave a peer is taken back; undefined when nothing is. */
  issuedUntil(subject: string, issuer: string): number | undefined {
    const times = ['authority', issuer].flatMap(by => this.#kept.get(`${by} ${subject}`)?.revocation.issuedUntil ?? [])
    return times.length === 0 ? undefined : Math.max(...times)
  }

  /** Forgets those that no credential outlives. @param now seconds since 1970 */
  sweep(now: number): void {
    for (const [key, { revocation }] of this.#kept) if (revocation.expiresAt + LEEWAY < now) this.#kept.delete(key)
  }

  tokens(): string[] {
    return Array.from(this.#kept.values(), ({ token }) => token)
  }

  get size(): number {
    return this.#kept.size
  }
}
