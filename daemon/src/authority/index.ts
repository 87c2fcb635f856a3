/**
 * The authority of a closed mesh: a key in a folder that lives offline, and a file that may be shown to anybody.
 *
 * `authority.pem` is the key (PKCS#8, encrypted unless its owner wants it otherwise), `mesh.json` says which mesh it is
 * and what its public key is.
 *
 * @example
 * ```ts
 * await createAuthority('charity-mesh', { name: 'charity', passphrase })
 * const { mesh, privateKey } = await openAuthority('charity-mesh', { passphrase })
 * ```
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isAuthorityOf, meshIdOf } from '@hedgerow/protocols/membership'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { Ajv } from 'ajv'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import { fromPem, isEncrypted, toPem } from './pem.ts'

export const KEY_FILE = 'authority.pem'
export const MESH_FILE = 'mesh.json'

/** What anybody may know of a mesh. */
export interface MeshFile {
  /** what its maintainers call it */
  name: string
  /** the id: the name, and the fingerprint of the authority's key */
  mesh: string
  /** the authority's public key: 32 bytes of Ed25519 */
  authority: Uint8Array
  /** ISO 8601 */
  createdAt: string
}

export interface Authority extends MeshFile {
  privateKey: PrivateKey
}

/** What is wrong with a folder that should hold an authority; its message is for people. */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError'
  readonly reason: 'exists' | 'missing' | 'passphrase' | 'malformed'

  constructor(reason: AuthorityError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/**
 * Makes a key and keeps it. What is there already is never written over.
 *
 * @param passphrase undefined = the key lies there for whoever can read the file
 * @throws {AuthorityError} exists @throws {RangeError} when the name is none
 */
export async function createAuthority(
  dir: string,
  { name, passphrase }: { name: string; passphrase: string | undefined }
): Promise<Authority> {
  const privateKey = await generateKeyPair('Ed25519')
  const authority = privateKey.publicKey.raw
  const file: MeshFile = {
    name,
    mesh: await meshIdOf(name, authority),
    authority,
    createdAt: new Date().toISOString()
  }
  await mkdir(dir, { recursive: true, mode: 0o700 })
  try {
    await writeFile(join(dir, KEY_FILE), toPem(privateKey, passphrase), { mode: 0o600, flag: 'wx', flush: true })
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'EEXIST')
      throw new AuthorityError(
        'exists',
        `${resolve(dir)} holds an authority already, and a mesh has no other; name another folder`
      )
    throw err
  }
  await writeFile(join(dir, MESH_FILE), formatMesh(file), { flush: true })
  return { ...file, privateKey }
}

/**
 * @param passphrase asked for only when the key is encrypted
 * @throws {AuthorityError} missing, passphrase, malformed
 */
export async function openAuthority(
  dir: string,
  { passphrase }: { passphrase(): Promise<string> }
): Promise<Authority> {
  const pem = await read(dir, KEY_FILE)
  const file = await parseMesh(await read(dir, MESH_FILE)).catch(err => {
    throw new AuthorityError('malformed', `${join(dir, MESH_FILE)}: ${err.message}`)
  })
  const privateKey = fromPem(pem, isEncrypted(pem) ? await passphrase() : undefined)
  if (!(await isAuthorityOf(file.mesh, privateKey.publicKey.raw)))
    throw new AuthorityError('malformed', `the key in ${resolve(dir)} is not the authority of ${file.mesh}`)
  return { ...file, privateKey }
}

export function formatMesh({ name, mesh, authority, createdAt }: MeshFile): string {
  return `${JSON.stringify({ name, mesh, authority: encode(authority, 'base64url'), created_at: createdAt }, null, 2)}\n`
}

const check = new Ajv().compile<{ name: string; mesh: string; authority: string; created_at: string }>({
  type: 'object',
  required: ['name', 'mesh', 'authority', 'created_at'],
  properties: {
    name: { type: 'string', maxLength: 63 },
    mesh: { type: 'string', maxLength: 63 },
    authority: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
    created_at: { type: 'string', maxLength: 40 }
  }
})

/** @throws {Error} */
export async function parseMesh(text: string): Promise<MeshFile> {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  if (!check(content)) throw new Error('it is no mesh file, as `hedgerow mesh init` writes it')
  const { name, mesh, created_at: createdAt } = content
  const authority = fromString(content.authority, 'base64url')
  if (!(await isAuthorityOf(mesh, authority))) throw new Error(`its authority is not the one that ${mesh} has`)
  return { name, mesh, authority, createdAt }
}

async function read(dir: string, file: string): Promise<string> {
  try {
    return await readFile(join(dir, file), 'utf8')
  } catch (err) {
    const reason = err instanceof Error && 'code' in err ? err.code : String(err)
    throw new AuthorityError('missing', `${resolve(dir)} holds no authority: ${file} can't be read (${reason})`)
  }
}
