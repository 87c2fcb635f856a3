import { resolve } from 'node:path'
import { AuthorityError, createAuthority, KEY_FILE, MESH_FILE } from '@hedgerow/daemon/authority'
import { toString as encode } from 'uint8arrays/to-string'
import { InspectorError } from '../../errors.ts'
import { failureOf } from './signer.ts'

export interface InitReport {
  name: string
  mesh: string
  authority: string
  dir: string
  /** to be kept offline */
  key_file: string
  /** may be shown to anybody */
  mesh_file: string
  encrypted: boolean
}

/** @param passphrase undefined = none @throws {InspectorError} */
export async function initMesh(name: string, dir: string, passphrase: string | undefined): Promise<InitReport> {
  try {
    const { mesh, authority } = await createAuthority(dir, { name, passphrase })
    const folder = resolve(dir)
    return {
      name,
      mesh,
      authority: encode(authority, 'base64url'),
      dir: folder,
      key_file: `${folder}/${KEY_FILE}`,
      mesh_file: `${folder}/${MESH_FILE}`,
      encrypted: passphrase != null
    }
  } catch (err) {
    if (err instanceof AuthorityError) throw failureOf(err)
    if (err instanceof RangeError) throw new InspectorError('Usage', err.message)
    if (err instanceof Error && 'code' in err)
      throw new InspectorError('Failed', `the authority can't be kept in ${resolve(dir)} (${err.code})`)
    throw err
  }
}
