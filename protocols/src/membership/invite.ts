import type { PrivateKey } from '@libp2p/interface'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import { randomHex } from '../random/index.ts'
import * as claims from './claims.ts'
import { MAX_RELAYS, MAX_TTL, MAX_USES } from './constants.ts'
import { CredentialError } from './errors.ts'
import type { MemberRole } from './index.ts'
import { peekToken, peerIdOfKey, publicKeyOf, signToken, verifyToken } from './jwt.ts'
import { isAuthorityOf } from './mesh-id.ts'

/** What whoever brings it gets, from one issuer, a number of times, until then. Times in seconds. */
export interface Invite {
  id: string
  mesh: string
  /** the authority's public key: what the newcomer trusts */
  authority: Uint8Array
  /** the one issuer that redeems it */
  issuer: string
  /** web addresses at which the issuer, or a relay that knows it, is reached */
  relays: string[]
  roles: MemberRole[]
  services: string[]
  classes: string[]
  uses: number
  /** seconds that each credential is good for */
  ttl: number
  issuedAt: number
  expiresAt: number
}

export type InviteInit = Omit<Invite, 'id' | 'issuedAt'> & {
  /** seconds since 1970. @default now */
  now?: number
}

/** @param privateKey the issuer's own, or the authority's */
export async function sealInvite(init: InviteInit, privateKey: PrivateKey): Promise<string> {
  const { authority, issuer, expiresAt, now = Date.now() / 1000, ...rest } = init
  const signer = peerIdOfKey(privateKey.publicKey.raw)
  const signed = {
    iss: signer === issuer ? signer : 'authority',
    aud: issuer,
    ...rest,
    authority: encode(authority, 'base64url'),
    iat: Math.floor(now),
    exp: expiresAt,
    jti: randomHex(16)
  }
  inviteOf(signed)
  return signToken('invite', signed, privateKey)
}

/**
 * Reads an invite as the newcomer does, who knows neither issuer nor authority yet and trusts whoever gave it the invite.
 *
 * @throws {CredentialError}
 */
export async function readInvite(token: string): Promise<Invite> {
  const invite = inviteOf(peekToken(token))
  if (!(await isAuthorityOf(invite.mesh, invite.authority)))
    throw new CredentialError('Malformed', 'this invite names another authority than its mesh has')
  return invite
}

export interface OpenInviteInit {
  mesh: string
  authority: Uint8Array
  /** the peer id of whoever is asked to redeem it */
  issuer: string
  /** seconds since 1970 */
  now: number
}

/** Checks an invite as the issuer does that redeems it. @throws {CredentialError} */
export async function openInvite(token: string, { mesh, authority, issuer, now }: OpenInviteInit): Promise<Invite> {
  const byAuthority = peekToken(token).iss === 'authority'
  const key = byAuthority ? authority : publicKeyOf(issuer)
  const invite = inviteOf(await verifyToken('invite', token, { key, now }))
  if (invite.mesh !== mesh) throw new CredentialError('WrongMesh', `this invite is for ${invite.mesh}`)
  if (invite.issuer !== issuer)
    throw new CredentialError('WrongPeer', `this invite is redeemed by ${invite.issuer} alone`)
  return invite
}

function inviteOf(signed: Record<string, unknown>): Invite {
  return {
    id: claims.id(signed),
    mesh: claims.mesh(signed),
    authority: fromString(claims.text(signed, 'authority', /^[\w-]{43}$/), 'base64url'),
    issuer: claims.peerId(signed, 'aud'),
    relays: claims.list(signed, 'relays', MAX_RELAYS, isWebAddress),
    roles: claims.roles(signed),
    services: claims.services(signed),
    classes: claims.classes(signed),
    uses: claims.whole(signed, 'uses', 1, MAX_USES),
    ttl: claims.whole(signed, 'ttl', 60, MAX_TTL),
    issuedAt: claims.time(signed, 'iat'),
    expiresAt: claims.time(signed, 'exp')
  }
}

function isWebAddress(text: string): boolean {
  const url = text.length <= 512 ? URL.parse(text) : null
  return url != null && /^https?:$/.test(url.protocol)
}
