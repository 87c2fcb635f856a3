/** From an invite to a credential. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Role } from '@hedgerow/protocols/advert'
import {
  CredentialError,
  type Invite,
  LEEWAY,
  peerIdOfKey,
  readInvite,
  verifyChain
} from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import { ConfigError } from '../config/errors.ts'
import { EnrolmentRefused, enrol } from './enrol.ts'
import type { MembershipFile } from './file.ts'
import type { MembershipSettings } from './join.ts'
import { isoTime } from './renewal.ts'
import type { Found } from './sources.ts'

/** Milliseconds between two rounds of asking the relays of an invite. */
const FIRST_DELAY = 500
const MAX_DELAY = 15_000

export interface CheckedInvite extends Invite {
  token: string
}

/** @throws {ConfigError} */
export async function checkInvite(token: string, role: Role): Promise<CheckedInvite> {
  try {
    const invite = await readInvite(token)
    // Before it is used up for nothing.
    if (!invite.roles.includes(role))
      throw new ConfigError('HEDGEROW_INVITE', wrongRole('this invite is', invite.roles, role))
    return { ...invite, token }
  } catch (err) {
    if (err instanceof CredentialError)
      throw new ConfigError(
        'HEDGEROW_INVITE',
        `${err.message}; copy the whole string that \`hedgerow mesh invite\` printed`
      )
    throw err
  }
}

/** An invite that was used is of no interest any more, as long as what it brought is good. */
export async function enrolOnce(
  invite: CheckedInvite,
  found: Found | undefined,
  settings: MembershipSettings
): Promise<MembershipFile> {
  const isMember = found != null && (await isGood(found.file, settings.privateKey))
  if (isMember && found.file.invite === invite.id) return found.file
  try {
    return await enrolByInvite(invite, settings)
  } catch (err) {
    if (!isMember || !(err instanceof ConfigError)) throw err
    settings.log.warn({ reason: err.message }, 'this peer stays what it is without the new invite')
    return found.file
  }
}

async function isGood({ mesh, authority, credential }: MembershipFile, privateKey: PrivateKey): Promise<boolean> {
  try {
    const { peerId } = await verifyChain(credential, { mesh, authority, now: Date.now() / 1000 })
    return peerId === peerIdOfKey(privateKey.publicKey.raw)
  } catch {
    return false
  }
}

async function enrolByInvite(
  invite: CheckedInvite,
  { privateKey, log, signal }: MembershipSettings
): Promise<MembershipFile> {
  const { mesh, authority, relays, expiresAt } = invite
  if (expiresAt + LEEWAY < Date.now() / 1000)
    throw new ConfigError('HEDGEROW_INVITE', `this invite ended on ${isoTime(expiresAt)}; ask for a new one`)
  if (relays.length === 0)
    throw new ConfigError('HEDGEROW_INVITE', 'this invite names no relay to go to; ask for one made with --relay <url>')
  for (let delay = FIRST_DELAY; ; delay = Math.min(MAX_DELAY, delay * 2)) {
    let refused: EnrolmentRefused | undefined
    for (const url of relays) {
      try {
        const { credential, expiresAt } = await enrol({
          url,
          mesh,
          privateKey,
          invite: invite.token,
          ...(signal == null ? {} : { signal })
        })
        log.info({ mesh, relay: url, expires_at: isoTime(expiresAt) }, 'the invite has let this peer into the mesh')
        return { mesh, authority, credential, invite: invite.id, relays }
      } catch (err) {
        if (err instanceof EnrolmentRefused && err.isFinal) refused = err
        log.warn(
          { relay: url, reason: err instanceof Error ? err.message || String(err) : String(err) },
          'not enrolled yet'
        )
      }
    }
    if (refused != null)
      throw new ConfigError('HEDGEROW_INVITE', `${refused.message} (${refused.code ?? refused.status})`)
    await sleep(delay * (0.75 + Math.random() / 2), undefined, { signal })
  }
}

export function wrongRole(what: string, roles: string[], role: Role): string {
  const remedy =
    role === 'relay'
      ? 'relays are made by the authority: hedgerow mesh sign --role relay'
      : `ask for one of role ${role}`
  return `${what} for a ${roles.join(' and ')}, and this is a ${role}; ${remedy}`
}
