import { join } from 'node:path'
import type { Role } from '@hedgerow/protocols/advert'
import { CredentialError, peerIdOfKey } from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import { ConfigError } from '../config/errors.ts'
import { checkInvite, enrolOnce, wrongRole } from './by-invite.ts'
import { MEMBERSHIP_FILE, writeMembership } from './file.ts'
import { Membership } from './membership.ts'
import { newest, sourcesOf } from './sources.ts'

export interface MembershipSettings {
  dataDir: string
  privateKey: PrivateKey
  /** as what it joins: its credential must say so */
  role: Role
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

/**
 * From settings and data directory to a membership: the newest credential of what lies in the data directory and what
 * HEDGEROW_CREDENTIAL names; else, or when the invite is another one than last time, by the invite, for which it waits
 * until one of its relays answers.
 *
 * @returns undefined where nothing says that the mesh is closed
 * @throws {ConfigError}
 */
export async function joinByMembership(settings: MembershipSettings): Promise<Membership | undefined> {
  const { dataDir, privateKey, role, log } = settings
  const sources = sourcesOf(settings)
  const found = await newest(sources)
  const invite = settings.invite == null ? undefined : await checkInvite(settings.invite, settings.role)
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
    const { roles = [] } = membership.credential() ?? {}
    if (!roles.includes(role)) {
      await membership.stop()
      const setting = found?.file === file ? found.source.setting : 'HEDGEROW_INVITE'
      throw new ConfigError(setting, wrongRole("this peer's credential is", roles, role))
    }
    // Renewals are kept there, wherever the first one came from.
    if (found == null || found.file !== file || found.source.path !== join(dataDir, MEMBERSHIP_FILE))
      await writeMembership(dataDir, file)
    return membership
  } catch (err) {
    const setting = found?.file === file ? found.source.setting : 'HEDGEROW_INVITE'
    throw err instanceof CredentialError ? new ConfigError(setting, wordsFor(err, privateKey)) : err
  }
}

function wordsFor({ fault, message }: CredentialError, privateKey: PrivateKey): string {
  const id = peerIdOfKey(privateKey.publicKey.raw)
  const remedy = `get one with \`hedgerow mesh sign ${id}\`, or join anew with HEDGEROW_INVITE`
  return fault === 'WrongPeer' ? `${message}, and this peer is ${id}; ${remedy}` : `${message}; ${remedy}`
}
