import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CredentialError,
  type Invite,
  LEEWAY,
  peekToken,
  peerIdOfKey,
  readInvite,
  verifyChain
} from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import { ConfigError } from '../config/errors.ts'
import { EnrolmentRefused, enrol } from './enrol.ts'
import { MEMBERSHIP_FILE, type MembershipFile, parseMembership, readMembership, writeMembership } from './file.ts'
import { Membership } from './membership.ts'
import { isoTime } from './renewal.ts'

export interface MembershipSettings {
  dataDir: string
  privateKey: PrivateKey
  /** a membership file, or what stands in one: HEDGEROW_CREDENTIAL */
  credential?: string
  /** HEDGEROW_INVITE */
  invite?: string
  /** HEDGEROW_MESH */
  mesh?: string
  log: Logger
  /** gives up waiting for a relay */
  signal?: AbortSignal
}

const FIRST_DELAY = 500
const MAX_DELAY = 15_000

/**
 * From settings and data directory to a membership: the newest credential of what lies in the data directory and what
 * HEDGEROW_CREDENTIAL names; else, or when the invite is another one than last time, by the invite, for which it waits
 * until one of its relays answers.
 *
 * @returns undefined where nothing says that the mesh is closed
 * @throws {ConfigError}
 */
export async function joinByMembership(settings: MembershipSettings): Promise<Membership | undefined> {
  const { dataDir, privateKey, log } = settings
  const sources = sourcesOf(settings)
  const found = await newest(sources)
  const invite = settings.invite == null ? undefined : await checkInvite(settings.invite)
  const file = invite == null ? found?.file : await enrolOnce(invite, found, settings)
  if (file == null) return undefined
  if (settings.mesh != null && settings.mesh !== file.mesh)
    throw new ConfigError('HEDGEROW_MESH', `it names ${settings.mesh}, but this peer's credential is for ${file.mesh}`)
  try {
    const membership = await Membership.open({
      dataDir,
      privateKey,
      file,
      log,
      watched: sources.flatMap(({ path }) => path ?? []),
      reread: async () => (await newest(sources))?.file
    })
    // Renewals are kept there, wherever the first one came from.
    if (found == null || found.file !== file || found.source.path !== join(dataDir, MEMBERSHIP_FILE))
      await writeMembership(dataDir, file)
    return membership
  } catch (err) {
    const setting = found?.file === file ? found.source.setting : 'HEDGEROW_INVITE'
    throw err instanceof CredentialError ? new ConfigError(setting, wordsFor(err, privateKey)) : err
  }
}

interface Source {
  setting: string
  /** undefined when the setting holds the text itself */
  path?: string
  read(): Promise<MembershipFile | undefined>
}

interface Found {
  file: MembershipFile
  source: Source
}

function sourcesOf({ dataDir, credential }: MembershipSettings): Source[] {
  const kept = join(dataDir, MEMBERSHIP_FILE)
  const sources: Source[] = [
    { setting: 'HEDGEROW_DATA_DIR', path: kept, read: () => naming('HEDGEROW_DATA_DIR', kept, readMembership(dataDir)) }
  ]
  if (credential == null) return sources
  const setting = 'HEDGEROW_CREDENTIAL'
  if (credential.trimStart().startsWith('{'))
    sources.push({ setting, read: () => naming(setting, 'its value', parseMembership(credential)) })
  else {
    const path = resolve(credential)
    sources.push({ setting, path, read: () => naming(setting, path, readFile(path, 'utf8').then(parseMembership)) })
  }
  return sources
}

async function naming<T>(setting: string, place: string, file: Promise<T>): Promise<T> {
  try {
    return await file
  } catch (err) {
    const reason = err instanceof Error ? ('code' in err ? `it can't be read (${err.code})` : err.message) : String(err)
    throw new ConfigError(setting, `${place} is no membership file: ${reason}`)
  }
}

/** What HEDGEROW_CREDENTIAL says counts when it is for another mesh, or younger: kept ones have been renewed since. */
async function newest(sources: Source[]): Promise<Found | undefined> {
  let best: Found | undefined
  for (const source of sources) {
    const file = await source.read()
    if (file == null) continue
    if (best == null || best.file.mesh !== file.mesh || isBetter(file, best.file)) {
      const { relays, invite } = best?.file.mesh === file.mesh ? best.file : file
      best = { source, file: { ...(relays == null ? {} : { relays }), ...(invite == null ? {} : { invite }), ...file } }
    }
  }
  return best
}

/** Of two, the one that hasn't ended; else the younger. */
function isBetter(one: MembershipFile, other: MembershipFile): boolean {
  const [a, b] = [timesOf(one), timesOf(other)]
  return a.live === b.live ? a.issuedAt > b.issuedAt : a.live
}

/** Not checked yet: a file with nonsense in it is refused when it is chosen. */
function timesOf({ credential }: MembershipFile): { issuedAt: number; live: boolean } {
  try {
    const { iat, exp } = peekToken(credential.split('~')[0] ?? '')
    return { issuedAt: Number(iat) || 0, live: Number(exp) + LEEWAY > Date.now() / 1000 }
  } catch {
    return { issuedAt: 0, live: false }
  }
}

interface CheckedInvite extends Invite {
  token: string
}

async function checkInvite(token: string): Promise<CheckedInvite> {
  try {
    return { ...(await readInvite(token)), token }
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
async function enrolOnce(
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

function wordsFor({ fault, message }: CredentialError, privateKey: PrivateKey): string {
  const id = peerIdOfKey(privateKey.publicKey.raw)
  const remedy = `get one with \`hedgerow mesh sign ${id}\`, or join anew with HEDGEROW_INVITE`
  return fault === 'WrongPeer' ? `${message}, and this peer is ${id}; ${remedy}` : `${message}; ${remedy}`
}
