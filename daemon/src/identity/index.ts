/**
 * Who this peer is: an Ed25519 key in the data directory, made at the first start and kept. The peer id derives from
 * it, so whoever copies the file is the peer.
 *
 * @example
 * ```ts
 * const dir = await openDataDir('/var/lib/hedgerow')
 * const privateKey = await loadIdentity(dir)
 * ```
 */

import { chmod, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { ConfigError } from '../config/errors.ts'
import { lockDataDir } from './lock.ts'

export { loadCertificate } from './certificate.ts'

const KEY_FILE = 'identity.key'

/** Permission to write for everyone, as the system's folder for temporary files has. */
const WRITABLE_BY_ALL = 0o002

/**
 * Makes sure that the data directory exists, is ours alone (0700), can be written and is used by no other process.
 *
 * @throws {ConfigError}
 */
export async function openDataDir(name: string): Promise<string> {
  const path = resolve(name)
  try {
    const made = await mkdir(path, { recursive: true, mode: 0o700 })
    if (made == null && ((await stat(path)).mode & WRITABLE_BY_ALL) !== 0)
      throw new ConfigError(
        'HEDGEROW_DATA_DIR',
        `${path} is everybody's: it can't be closed to others; name a directory in it`
      )
    await chmod(path, 0o700)
    const probe = join(path, `.probe-${process.pid}`)
    await writeFile(probe, '')
    await rm(probe)
  } catch (err) {
    if (err instanceof ConfigError) throw err
    throw new ConfigError(
      'HEDGEROW_DATA_DIR',
      `the data directory ${path} can't be written (${messageOf(err)}); name another, or make it writable for this user`
    )
  }
  await lockDataDir(path)
  return path
}

/** Reads the key, or makes one. @throws {ConfigError} when the file is there but is no key */
export async function loadIdentity(dataDir: string): Promise<PrivateKey> {
  const file = join(dataDir, KEY_FILE)
  const existing = await readKey(file)
  if (existing != null) return existing
  // Written beside and linked into place: two starts at once agree on one key, and a crash leaves none rather than half.
  const draft = `${file}.${process.pid}`
  try {
    await writeFile(draft, privateKeyToProtobuf(await generateKeyPair('Ed25519')), { mode: 0o600, flush: true })
    await link(draft, file)
  } catch (err) {
    if (codeOf(err) !== 'EEXIST')
      throw new ConfigError('HEDGEROW_DATA_DIR', `the identity can't be kept in ${file} (${messageOf(err)})`)
  } finally {
    await rm(draft, { force: true })
  }
  const key = await readKey(file)
  if (key == null) throw new ConfigError('HEDGEROW_DATA_DIR', `the identity can't be kept in ${file}`)
  return key
}

async function readKey(file: string): Promise<PrivateKey | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (err) {
    if (codeOf(err) === 'ENOENT') return undefined
    throw new ConfigError('HEDGEROW_DATA_DIR', `the identity ${file} can't be read (${messageOf(err)})`)
  }
  try {
    return privateKeyFromProtobuf(bytes)
  } catch {
    throw new ConfigError(
      'HEDGEROW_DATA_DIR',
      `${file} is not a key; restore it from a backup, or delete it to become another peer`
    )
  }
}

function codeOf(err: unknown): string | undefined {
  return err instanceof Error && 'code' in err ? String(err.code) : undefined
}

function messageOf(err: unknown): string {
  return codeOf(err) ?? String(err)
}
