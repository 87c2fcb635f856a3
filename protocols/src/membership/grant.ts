import type { PrivateKey } from '@libp2p/interface'
import { maySee } from '../data-class/index.ts'
import { randomHex } from '../random/index.ts'
import * as claims from './claims.ts'
import { LEEWAY, MAX_CHAIN } from './constants.ts'
import { CredentialError } from './errors.ts'
import { type Credential, covers, type Member, type MemberRole } from './index.ts'
import { peekToken, peerIdOfKey, publicKeyOf, signToken, verifyToken } from './jwt.ts'

/** Between the tokens of a chain; no token holds it. */
export const SEPARATOR = '~'
/** What an issuer may make others. */
const GRANTABLE: readonly MemberRole[] = ['client', 'worker']
/** Classes that only the authority gives. */
const RESERVED: readonly string[] = ['confidential']

export interface GrantInit {
  mesh: string
  /** the peer id whose it will be */
  subject: string
  roles: MemberRole[]
  services: string[]
  classes: string[]
  /** seconds that it is good for; less when its issuer's own ends sooner */
  ttl: number
  /** seconds that a renewal may last. @default it isn't renewed by itself */
  renewal?: number
  /** seconds since 1970. @default now */
  now?: number
}

export interface GrantSigner {
  /** the authority's, or an issuer's own */
  privateKey: PrivateKey
  /** an issuer's own chain, which is one token: only the authority makes issuers */
  chain?: string
}

/**
 * Signs a credential.
 *
 * @returns the chain that its owner shows
 * @throws {CredentialError} ExceedsIssuer, when the issuer hasn't got what it would give
 */
export async function grant(init: GrantInit, { privateKey, chain }: GrantSigner): Promise<string> {
  const now = Math.floor(init.now ?? Date.now() / 1000)
  const issuer = chain == null ? undefined : claims.credentialOf(peekToken(chain))
  const credential: Credential = {
    id: randomHex(16),
    issuer: issuer?.subject ?? 'authority',
    subject: init.subject,
    mesh: init.mesh,
    roles: init.roles,
    services: init.services,
    classes: init.classes,
    issuedAt: now,
    notBefore: now,
    expiresAt: Math.min(now + init.ttl, issuer?.expiresAt ?? Infinity),
    ...(init.renewal == null ? {} : { renewal: init.renewal })
  }
  if (issuer != null) {
    checkIssuer(credential, issuer)
    if (peerIdOfKey(privateKey.publicKey.raw) !== issuer.subject)
      throw new CredentialError('WrongPeer', 'this issuer credential belongs to another peer')
  }
  publicKeyOf(credential.subject)
  const { id, issuer: iss, subject: sub, issuedAt: iat, notBefore: nbf, expiresAt: exp, ...rest } = credential
  const signed = { iss, sub, ...rest, iat, nbf, exp, jti: id }
  claims.credentialOf(signed)
  const token = await signToken('credential', signed, privateKey)
  return chain == null ? token : `${token}${SEPARATOR}${chain}`
}

export interface VerifyChainInit {
  mesh: string
  /** the authority's public key: 32 bytes of Ed25519 */
  authority: Uint8Array
  /** seconds since 1970 */
  now: number
}

/** Checks every signature, time and right of a chain; not whether any of it was revoked. @throws {CredentialError} */
export async function verifyChain(chain: string, { mesh, authority, now }: VerifyChainInit): Promise<Member> {
  const tokens = chain.split(SEPARATOR)
  const [first, second] = tokens
  if (!first) throw new CredentialError('Missing', 'no credential was shown')
  if (tokens.length > MAX_CHAIN) throw new CredentialError('Malformed', `a chain has at most ${MAX_CHAIN} credentials`)
  const issuer = second == null ? undefined : await verifyOne(second, authority, { mesh, now, by: 'authority' })
  const credential = await verifyOne(first, issuer == null ? authority : publicKeyOf(issuer.subject), {
    mesh,
    now,
    by: issuer?.subject ?? 'authority'
  })
  if (issuer != null) checkIssuer(credential, issuer)
  publicKeyOf(credential.subject)
  return {
    peerId: credential.subject,
    credential,
    chain: issuer == null ? [credential] : [credential, issuer],
    expiresAt: Math.min(credential.expiresAt, issuer?.expiresAt ?? Infinity)
  }
}

/** What a chain says of its owner, unchecked: for who holds it. @throws {CredentialError} when it says nothing */
export function readChain(chain: string): Credential {
  return claims.credentialOf(peekToken(chain.split(SEPARATOR, 1)[0] ?? ''))
}

async function verifyOne(
  token: string,
  key: Uint8Array,
  { mesh, now, by }: { mesh: string; now: number; by: string }
): Promise<Credential> {
  const credential = claims.credentialOf(await verifyToken('credential', token, { key, now }))
  if (credential.mesh !== mesh) throw new CredentialError('WrongMesh', `this credential is for ${credential.mesh}`)
  if (credential.issuer !== by)
    throw new CredentialError('BadSignature', 'this credential names another issuer than the one that signed it')
  if (credential.issuedAt > now + LEEWAY) throw new CredentialError('NotYetValid', 'this credential is not valid yet')
  return credential
}

/** @throws {CredentialError} ExceedsIssuer */
function checkIssuer(credential: Credential, issuer: Credential): void {
  const exceeds = (what: string): CredentialError =>
    new CredentialError('ExceedsIssuer', `its issuer may not grant ${what}`)
  if (!issuer.roles.includes('issuer')) throw exceeds('anything: it is no issuer')
  const role = credential.roles.find(one => !GRANTABLE.includes(one))
  if (role != null) throw exceeds(`the role ${role}`)
  const service = credential.services.find(one => !isWithin([one], issuer.services))
  if (service != null) throw exceeds(service === '*' ? 'every service' : `the service ${service}`)
  const dataClass = credential.classes.find(one => RESERVED.includes(one) || !maySee(issuer.classes, one))
  if (dataClass != null) throw exceeds(`the data class ${dataClass}`)
}

export type Rights = Pick<Credential, 'roles' | 'services' | 'classes'>

/** As much of some rights as an issuer may give; a renewal of what it gave when it had more. */
export function withinIssuer({ roles, services, classes }: Rights, issuer: Rights): Rights {
  const all = services.includes('*')
  return {
    roles: roles.filter(role => GRANTABLE.includes(role)),
    services:
      all && !issuer.services.includes('*')
        ? issuer.services
        : services.filter(one => isWithin([one], issuer.services)),
    classes: classes.filter(one => !RESERVED.includes(one) && issuer.classes.includes(one))
  }
}

/** Whether all of these names are among those. */
export function isWithin(names: readonly string[], allowed: readonly string[]): boolean {
  return names.every(name => (name === '*' ? allowed.includes('*') : covers(allowed, name)))
}
