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

import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { ConfigError } from '../config/errors.ts'

const KEY_FILE = 'identity.key'

/** Makes sure that the data directory exists, is ours alone (0700) and can be written. @throws {ConfigError} */
export async function openDataDir(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await chmod(path, 0o700)
    const probe = join(path, `.probe-${process.pid}`)
    await writeFile(probe, '')
    await rm(probe)
  } catch (err) {
    throw new ConfigError(
      'HEDGEROW_DATA_DIR',
      `the data directory ${path} can't be written (${messageOf(err)}); name another, or make it writable for this user`
    )
  }
  return path
}

/** Reads the key, or makes one. @throws {ConfigError} when the file is there but is no key */
export async function loadIdentity(dataDir: string): Promise<PrivateKey> {
  const file = join(dataDir, KEY_FILE)
  const existing = await readKey(file)
  if (existing != null) return existing
  // Written beside and linked into place: two starts at once agree on one key, and a crash leaves none rather than half.
  const draft = `${file}.${process.pid}`
  await writeFile(draft, privateKeyToProtobuf(await generateKeyPair('Ed25519')), { mode: 0o600 })
  try {
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
