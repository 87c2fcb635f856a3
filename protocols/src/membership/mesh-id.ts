import { sha256 } from 'multiformats/hashes/sha2'
import { toString as encode } from 'uint8arrays/to-string'
import { NAME_PATTERN } from '../ids/index.ts'

/** 12 characters of base32 are 60 bits: to find another key with these is 2^60 tries, for one mesh. */
const FINGERPRINT_LENGTH = 12
const NAME = new RegExp(NAME_PATTERN)
const MAX_LENGTH = 63

/**
 * A closed mesh's id: its name and the fingerprint of its authority's key. It stands wherever a mesh is named (protocol
 * ids, topics, the domain of signatures), so that two meshes of one name never mix, and whoever knows the id can tell
 * the true authority.
 *
 * @param name lower-case letters, digits, hyphens
 * @param authority the authority's public key: 32 bytes of Ed25519
 * @throws {RangeError} when the name is none, or too long
 */
export async function meshIdOf(name: string, authority: Uint8Array): Promise<string> {
  const id = `${name}-${await fingerprintOf(authority)}`
  if (!NAME.test(name) || id.length > MAX_LENGTH)
    throw new RangeError(
      `${JSON.stringify(name)} is no name for a mesh: lower-case letters, digits and hyphens, at most ${MAX_LENGTH - FINGERPRINT_LENGTH - 1}`
    )
  return id
}

/** Whether this is the authority that the mesh's id names. */
export async function isAuthorityOf(mesh: string, authority: Uint8Array): Promise<boolean> {
  return authority.byteLength === 32 && mesh.endsWith(`-${await fingerprintOf(authority)}`)
}

async function fingerprintOf(key: Uint8Array): Promise<string> {
  const { digest } = await sha256.digest(key)
  return encode(digest, 'base32').slice(0, FINGERPRINT_LENGTH)
}
