import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@hedgerow/daemon/config'
import type { Bootstrap } from '@hedgerow/daemon/discovery'
import { loadIdentity, openDataDir } from '@hedgerow/daemon/identity'
import { EnrolmentRefused, enrol, joinByMembership, Membership, readMembership } from '@hedgerow/daemon/membership'
import { CredentialError, createTrust, openTrust, readInvite, type Trust } from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import { fromString } from 'uint8arrays/from-string'
import { InspectorError } from '../errors.ts'

/** As what the inspector joins a closed mesh. */
export interface MemberInit {
  /** a membership file, or its text */
  credential?: string
  /** of role client */
  invite?: string
}

/** Who the inspector is in a mesh. */
export interface Member {
  privateKey: PrivateKey
  dataDir: string
  membership: Membership
  /** leaves nothing behind that is for one command only */
  forget(): Promise<void>
}

/**
 * In a closed mesh: what it was invited as, now or an earlier time, which it keeps; else a guest for as long as the
 * command runs, where a relay of this machine lets it in. In an open mesh: anybody.
 *
 * @param seen what a relay says of its mesh; undefined when no relay was asked
 * @throws {InspectorError} Usage or Failed
 */
export async function becomeMember(
  init: MemberInit,
  seen: { mesh: string; authority?: string | undefined; urls: string[] } | undefined,
  log: Logger,
  signal: AbortSignal
): Promise<Member> {
  const isGiven = init.invite != null || init.credential != null
  if (isGiven || (seen?.authority != null && (await isKept(seen.mesh)))) {
    const kept = await asKeptMember(init, log, signal)
    if (kept != null) return kept
  }
  if (seen == null) throw new InspectorError('Usage', 'name a relay with --relay, or bring an invite that names one')
  const { mesh, authority, urls } = seen
  return forOnce(log, privateKey =>
    authority == null ? openTrust(mesh) : asGuest({ mesh, authority }, urls, privateKey, signal)
  )
}

/**
 * An invite from the environment, if it is for the inspector: one for a worker is there for a daemon, and would be used
 * up.
 */
export async function clientInvite(token: string | undefined): Promise<string | undefined> {
  if (!token) return undefined
  try {
    return (await readInvite(token)).roles.includes('client') ? token : undefined
  } catch (err) {
    if (err instanceof CredentialError) return undefined
    throw err
  }
}

/** Where the inspector is somebody: its key, and the credential that it was given. */
function ownDir(): string {
  return join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'hedgerow', 'inspector')
}

async function isKept(mesh: string): Promise<boolean> {
  return (await readMembership(ownDir()).catch(() => undefined))?.mesh === mesh
}

async function asKeptMember(
  { credential, invite }: MemberInit,
  log: Logger,
  signal: AbortSignal
): Promise<Member | undefined> {
  try {
    const dataDir = await openDataDir(ownDir())
    const privateKey = await loadIdentity(dataDir)
    const membership = await joinByMembership({
      dataDir,
      privateKey,
      role: 'client',
      log,
      signal,
      ...(credential == null ? {} : { credential }),
      ...(invite == null ? {} : { invite })
    })
    return membership == null ? undefined : { dataDir, privateKey, membership, forget: async () => {} }
  } catch (err) {
    if (err instanceof ConfigError) throw new InspectorError('Usage', err.message, [], { cause: err })
    throw err
  }
}

async function forOnce(log: Logger, trustFor: (key: PrivateKey) => Trust | Promise<Trust>): Promise<Member> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-inspector-'))
  const onExit = (): void => rmSync(dataDir, { recursive: true, force: true })
  process.once('exit', onExit)
  const forget = async (): Promise<void> => {
    await rm(dataDir, { recursive: true, force: true })
    process.removeListener('exit', onExit)
  }
  try {
    const privateKey = await loadIdentity(dataDir)
    const trust = await trustFor(privateKey)
    return {
      dataDir,
      privateKey,
      membership: new Membership({ dataDir, privateKey, file: undefined, log }, trust),
      forget
    }
  } catch (err) {
    await forget()
    throw err
  }
}

/** A relay on this machine lets programs of this machine in. */
async function asGuest(
  { mesh, authority }: Required<Pick<Bootstrap, 'mesh' | 'authority'>>,
  urls: string[],
  privateKey: PrivateKey,
  signal: AbortSignal
): Promise<Trust> {
  const reasons: string[] = []
  for (const url of urls) {
    try {
      const { credential } = await enrol({ url, mesh, privateKey, signal })
      return createTrust({ mesh, authority: fromString(authority, 'base64url'), own: credential })
    } catch (err) {
      signal.throwIfAborted()
      if (!(err instanceof Error)) throw err
      reasons.push(err instanceof EnrolmentRefused ? err.message : `${url}: ${err.message}`)
    }
  }
  throw new InspectorError('Failed', `the mesh ${mesh} is closed, and its relay does not let this command in`, [
    ...reasons,
    'ask a maintainer for an invite (hedgerow mesh invite --role client) and name it with --invite or HEDGEROW_INVITE',
    'or ask a peer that is in it: --daemon <url>'
  ])
}
