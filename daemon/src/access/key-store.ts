import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { Caller, Right } from './caller.ts'
import { KEY_RATE, KEYS_INTERVAL } from './constants.ts'
import { isSecretOf, type KeyRecord, parseKey } from './key.ts'
import { keysFile, readKeys } from './key-file.ts'

export interface KeyStoreComponents {
  log: Pick<Logger, 'info' | 'error'>
  /** milliseconds of the wall clock: keys expire on a date */
  now(): number
}

/** Why a key isn't good, for its holder. */
export type KeyRefusal = 'unknown' | 'revoked' | 'expired'

interface Entry {
  hash: Buffer
  caller: Caller
  /** milliseconds of the wall clock */
  expires: number
  revoked: boolean
}

/** The keys that are good now: follows the file, so that a key is good, or no longer, a second after the command. */
export class KeyStore {
  readonly #dataDir: string
  readonly #components: KeyStoreComponents
  #keys = new Map<string, Entry>()
  /** of the file that was read */
  #version = ''
  #timer: NodeJS.Timeout | undefined

  /** @throws {Error} when the file isn't usable */
  static async open(dataDir: string, components: KeyStoreComponents): Promise<KeyStore> {
    const store = new KeyStore(dataDir, components)
    store.#version = await versionOf(dataDir)
    store.#learn(await readKeys(dataDir))
    store.#timer = setInterval(() => void store.#refresh(), KEYS_INTERVAL)
    store.#timer.unref()
    return store
  }

  private constructor(dataDir: string, components: KeyStoreComponents) {
    this.#dataDir = dataDir
    this.#components = components
  }

  /** Whether any key is good now. */
  get usable(): boolean {
    const now = this.#components.now()
    return [...this.#keys.values()].some(({ expires, revoked }) => !revoked && expires > now)
  }

  /** Who sends this key. */
  check(text: string): Caller | KeyRefusal {
    const parsed = parseKey(text)
    const entry = parsed == null ? undefined : this.#keys.get(parsed.id)
    if (parsed == null || entry == null || !isSecretOf(parsed.secret, entry.hash)) return 'unknown'
    if (entry.revoked) return 'revoked'
    return entry.expires > this.#components.now() ? entry.caller : 'expired'
  }

  /** Whether a key that was good is so still. */
  isGood(id: string): boolean {
    const entry = this.#keys.get(id)
    return entry != null && !entry.revoked && entry.expires > this.#components.now()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #refresh(): Promise<void> {
    const version = await versionOf(this.#dataDir)
    if (version === this.#version) return
    this.#version = version
    try {
      this.#learn(await readKeys(this.#dataDir))
      this.#components.log.info({ keys: this.#keys.size }, 'API keys were read anew')
    } catch (err) {
      // A file that can't be read may have revoked any of them.
      this.#keys = new Map()
      this.#components.log.error({ reason: err instanceof Error ? err.message : err }, 'no API key is good now')
    }
  }

  #learn(records: KeyRecord[]): void {
    this.#keys = new Map(records.map(record => [record.id, entryOf(record, () => this.isGood(record.id))]))
  }
}

function entryOf({ id, hash, rights, services, expires, revoked, rate }: KeyRecord, isGood: () => boolean): Entry {
  return {
    hash: Buffer.from(hash, 'base64url'),
    expires: expires == null ? Infinity : Date.parse(expires),
    revoked: revoked != null,
    caller: { kind: 'key', id, services, rights: withImplied(rights), rate: rate ?? KEY_RATE, isGood }
  }
}

/** Who administers may look and call as well. */
export function withImplied(rights: readonly Right[]): Set<Right> {
  return new Set(rights.includes('admin') ? [...rights, 'read', 'call'] : rights)
}

/** Moved into place as a whole, so another version is another inode or another time. */
async function versionOf(dataDir: string): Promise<string> {
  return stat(keysFile(dataDir)).then(
    ({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`,
    err => String(err.code)
  )
}
