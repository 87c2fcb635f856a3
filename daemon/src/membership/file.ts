import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAuthorityOf, MAX_CHAIN_LENGTH } from '@hedgerow/protocols/membership'
import { Ajv } from 'ajv'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import { replaceFile } from '../files/index.ts'

export const MEMBERSHIP_FILE = 'membership.json'

/** A peer's membership, as it is kept and handed over. */
export interface MembershipFile {
  mesh: string
  /** the authority's public key: 32 bytes of Ed25519 */
  authority: Uint8Array
  /** the chain that the peer shows */
  credential: string
  /** the id of the invite that it came by */
  invite?: string
  /** web addresses of relays that the invite named */
  relays?: string[]
}

interface Written {
  mesh: string
  authority: string
  credential: string
  invite?: string
  relays?: string[]
}

const check = new Ajv().compile<Written>({
  type: 'object',
  required: ['mesh', 'authority', 'credential'],
  properties: {
    mesh: { type: 'string', maxLength: 63 },
    authority: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
    credential: { type: 'string', maxLength: MAX_CHAIN_LENGTH },
    invite: { type: 'string', maxLength: 64 },
    relays: { type: 'array', maxItems: 8, items: { type: 'string', maxLength: 512 } }
  }
})

/** Reads what {@link formatMembership} writes. Whether the credential is good is for others to say. @throws {Error} */
export async function parseMembership(text: string): Promise<MembershipFile> {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  if (!check(content)) throw new Error('it must hold {mesh, authority, credential}, as `hedgerow mesh sign` writes it')
  const authority = fromString(content.authority, 'base64url')
  if (!(await isAuthorityOf(content.mesh, authority)))
    throw new Error(`its authority is not the one that the mesh ${content.mesh} has`)
  const { mesh, credential, invite, relays } = content
  return {
    mesh,
    authority,
    credential,
    ...(invite == null ? {} : { invite }),
    ...(relays == null ? {} : { relays })
  }
}

export function formatMembership({ authority, ...rest }: MembershipFile): string {
  return `${JSON.stringify({ ...rest, authority: encode(authority, 'base64url') }, null, 2)}\n`
}

/** @returns undefined when there is none @throws {Error} */
export async function readMembership(dataDir: string): Promise<MembershipFile | undefined> {
  let text: string
  try {
    text = await readFile(join(dataDir, MEMBERSHIP_FILE), 'utf8')
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return undefined
    throw err
  }
  return parseMembership(text)
}

export function writeMembership(dataDir: string, membership: MembershipFile): Promise<void> {
  return replaceFile(join(dataDir, MEMBERSHIP_FILE), formatMembership(membership))
}
