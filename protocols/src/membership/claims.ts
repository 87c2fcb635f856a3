/** Claims as they come, and as everything past this file has them. */
import { NAME_PATTERN, PEER_ID_PATTERN } from '../ids/index.ts'
import { MAX_CLASSES, MAX_SERVICES, MAX_TTL } from './constants.ts'
import { CredentialError } from './errors.ts'
import { type Credential, MEMBER_ROLES, type MemberRole } from './index.ts'

const NAME = new RegExp(NAME_PATTERN)
const PEER_ID = new RegExp(PEER_ID_PATTERN)
const ID = /^[\w-]{8,64}$/
const REVOKED = new RegExp(`${PEER_ID_PATTERN}|^invite:[\\w-]{8,64}$`)
/** the year 9999, in seconds */
const MAX_TIME = 253_402_300_799

type Claims = Record<string, unknown>

function malformed(claim: string): CredentialError {
  return new CredentialError('Malformed', `its claim ${claim} is missing, or not what it should be`)
}

export function text(claims: Claims, claim: string, pattern: RegExp): string {
  const value = claims[claim]
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(claim)
  return value
}

export function time(claims: Claims, claim: string): number {
  return whole(claims, claim, 0, MAX_TIME)
}

export function whole(claims: Claims, claim: string, min: number, max: number): number {
  const value = claims[claim]
  if (!Number.isInteger(value) || Number(value) < min || Number(value) > max) throw malformed(claim)
  return Number(value)
}

export function list(claims: Claims, claim: string, max: number, isGood: (one: string) => boolean): string[] {
  const value = claims[claim]
  if (!Array.isArray(value) || value.length > max) throw malformed(claim)
  return value.map(one => {
    if (typeof one !== 'string' || !isGood(one)) throw malformed(claim)
    return one
  })
}

export const id = (claims: Claims): string => text(claims, 'jti', ID)
export const mesh = (claims: Claims): string => text(claims, 'mesh', NAME)
/** What is taken back: a peer's credentials, or an invite. */
export const revoked = (claims: Claims): string => text(claims, 'sub', REVOKED)

export const peerId = (claims: Claims, claim: string): string => text(claims, claim, PEER_ID)

export const roles = (claims: Claims): MemberRole[] => list(claims, 'roles', MEMBER_ROLES.length, isRole).filter(isRole)

export const services = (claims: Claims): string[] =>
  list(claims, 'services', MAX_SERVICES, name => name === '*' || NAME.test(name))

export const classes = (claims: Claims): string[] => list(claims, 'classes', MAX_CLASSES, name => NAME.test(name))

function isRole(name: string): name is MemberRole {
  return MEMBER_ROLES.some(role => role === name)
}

/** `authority`, or the peer id of an issuer. */
export function issuer(claims: Claims): string {
  return claims.iss === 'authority' ? 'authority' : peerId(claims, 'iss')
}

export function credentialOf(claims: Claims): Credential {
  const renewal = claims.renewal == null ? {} : { renewal: whole(claims, 'renewal', 1, MAX_TTL) }
  return {
    id: id(claims),
    issuer: issuer(claims),
    subject: peerId(claims, 'sub'),
    mesh: mesh(claims),
    roles: roles(claims),
    services: services(claims),
    classes: classes(claims),
    issuedAt: time(claims, 'iat'),
    notBefore: time(claims, 'nbf'),
    expiresAt: time(claims, 'exp'),
    ...renewal
  }
}
