/** Where a peer's membership may lie, and which of several counts. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { LEEWAY, peekToken } from '@hedgerow/protocols/membership'
import { ConfigError } from '../config/errors.ts'
import { MEMBERSHIP_FILE, type MembershipFile, parseMembership, readMembership } from './file.ts'
import type { MembershipSettings } from './join.ts'

export interface Source {
  setting: string
  /** undefined when the setting holds the text itself */
  path?: string
  read(): Promise<MembershipFile | undefined>
}

export interface Found {
  file: MembershipFile
  source: Source
}

export function sourcesOf({ dataDir, credential }: MembershipSettings): Source[] {
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
export async function newest(sources: Source[]): Promise<Found | undefined> {
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
