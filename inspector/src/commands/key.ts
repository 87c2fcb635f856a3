/** The API keys of a peer whose data directory is on this machine; the peer itself need not run. */
import { stat } from 'node:fs/promises'
import { changeKeys, type KeyRecord, keysFile, newKey, type Right, readKeys } from '@hedgerow/daemon/access'
import { defaultDataDir } from '@hedgerow/daemon/config'
import { InspectorError } from '../errors.ts'

export interface KeyOptions {
  rights: Right[]
  /** names or aliases */
  services: '*' | string[]
  /** milliseconds from now */
  lifetime?: number
  /** requests a second */
  rate?: number
}

export type KeyInfo = Omit<KeyRecord, 'hash'> & { status: 'good' | 'expired' | 'revoked' }

export interface KeyReport {
  data_dir: string
  keys: KeyInfo[]
}

export interface CreatedKey {
  data_dir: string
  /** what its holder sends; shown this once */
  key: string
  id: string
  name: string
  expires: string | null
}

export async function createKey(dataDir: string, name: string, options: KeyOptions, now: number): Promise<CreatedKey> {
  const { text, id, hash } = newKey()
  const { rights, services, lifetime, rate } = options
  const record: KeyRecord = { id, name, hash, rights, services, created: new Date(now).toISOString() }
  if (lifetime != null) record.expires = new Date(now + lifetime).toISOString()
  if (rate != null) record.rate = { perSecond: rate, burst: Math.max(1, 2 * rate) }
  await inFile(() => changeKeys(dataDir, keys => keys.push(record)))
  return { data_dir: dataDir, key: text, id, name, expires: record.expires ?? null }
}

export async function listKeys(dataDir: string, now: number): Promise<KeyReport> {
  const keys = await inFile(() => readKeys(dataDir))
  return { data_dir: dataDir, keys: keys.map(key => infoOf(key, now)) }
}

/** @param which the id of a key, the key itself, or a name that one key has */
export async function revokeKey(dataDir: string, which: string, now: number): Promise<KeyReport> {
  const id = /^hk_([0-9a-f]{12})_/.exec(which)?.[1] ?? which
  const revoked = await inFile(() =>
    changeKeys(dataDir, keys => {
      const exact = keys.filter(key => key.id === id)
      const found = exact.length > 0 ? exact : keys.filter(key => key.name === which && key.revoked == null)
      const [key, another] = found
      if (key == null)
        throw new InspectorError('Failed', `${keysFile(dataDir)} has no key ${id}; \`hedgerow key list\` shows them`)
      if (another != null)
        throw new InspectorError('Usage', `${found.length} keys are called ${which}; name one by its id`)
      key.revoked ??= new Date(now).toISOString()
      return key
    })
  )
  return { data_dir: dataDir, keys: [infoOf(revoked, now)] }
}

/** Whose keys: the folder that is named, else that of the one peer which has run on this machine with no settings. */
export async function dataDirOf(option: string | undefined, env: Record<string, string | undefined>): Promise<string> {
  const named = option ?? (env.HEDGEROW_DATA_DIR || undefined)
  const candidates = named == null ? [defaultDataDir('relay'), defaultDataDir('daemon')] : [named]
  const there: string[] = []
  for (const dir of candidates)
    if (
      await stat(dir).then(
        stats => stats.isDirectory(),
        () => false
      )
    )
      there.push(dir)
  const [dir, another] = there
  if (dir == null)
    throw new InspectorError(
      'Usage',
      `no peer keeps its state in ${candidates.join(' or ')}; name its folder with --data-dir`
    )
  if (another != null)
    throw new InspectorError(
      'Usage',
      `a relay and a worker run here; name one's folder: --data-dir ${there.join(' or ')}`
    )
  return dir
}

function infoOf({ hash: _hash, ...key }: KeyRecord, now: number): KeyInfo {
  const isExpired = key.expires != null && Date.parse(key.expires) <= now
  return { ...key, status: key.revoked != null ? 'revoked' : isExpired ? 'expired' : 'good' }
}

async function inFile<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (err) {
    if (err instanceof InspectorError) throw err
    throw new InspectorError('Failed', err instanceof Error ? err.message : String(err), [], { cause: err })
  }
}
