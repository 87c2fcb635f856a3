import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Authority, AuthorityError, openAuthority } from '@hedgerow/daemon/authority'
import { loadIdentity } from '@hedgerow/daemon/identity'
import { readMembership } from '@hedgerow/daemon/membership'
import { CredentialError, type Member, peerIdOfKey, verifyChain } from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import { InspectorError } from '../../errors.ts'

/** Asks for the passphrase of the authority's key. */
export type AskPassphrase = () => Promise<string>

/** Who signs: the authority, or an issuer by its own key. */
export interface Signer {
  mesh: string
  /** the authority's public key: 32 bytes of Ed25519 */
  authority: Uint8Array
  privateKey: PrivateKey
  /** undefined when the authority itself signs */
  issuer?: Member & { credentialChain: string }
}

export interface SignerOptions {
  /** the authority's folder. @default HEDGEROW_MESH_DIR, else the current one */
  dir?: string
  /** the data directory of a relay that is an issuer */
  dataDir?: string
}

/** @throws {InspectorError} */
export async function openSigner(
  { dir, dataDir }: SignerOptions,
  { env, passphrase }: { env: Record<string, string | undefined>; passphrase: AskPassphrase }
): Promise<Signer> {
  if (dir != null && dataDir != null)
    throw new InspectorError('Usage', '--dir signs as the authority, --data-dir as a relay: name one of them')
  return dataDir != null ? openIssuer(dataDir) : openOffline(dir ?? env.HEDGEROW_MESH_DIR ?? '.', passphrase)
}

export async function openOffline(dir: string, passphrase: AskPassphrase): Promise<Authority> {
  try {
    return await openAuthority(dir, { passphrase })
  } catch (err) {
    throw err instanceof AuthorityError ? failureOf(err) : err
  }
}

/** A relay's own key, which lies in its data directory; the relay may run meanwhile. */
async function openIssuer(dataDir: string): Promise<Signer> {
  const file = await readMembership(dataDir).catch(err => {
    throw new InspectorError('Failed', `${join(dataDir, 'membership.json')} is not usable: ${err.message}`)
  })
  if (file == null)
    throw new InspectorError(
      'Failed',
      `${resolve(dataDir)} is not the data directory of a member: no membership.json`,
      ['name the folder that HEDGEROW_DATA_DIR of the relay names, or sign as the authority with --dir']
    )
  await readFile(join(dataDir, 'identity.key')).catch(() => {
    throw new InspectorError('Failed', `${resolve(dataDir)} holds no identity.key`, [
      'is this user allowed to read it?'
    ])
  })
  const privateKey = await loadIdentity(dataDir)
  try {
    const { mesh, authority, credential } = file
    const member = await verifyChain(credential, { mesh, authority, now: Date.now() / 1000 })
    if (member.peerId !== peerIdOfKey(privateKey.publicKey.raw) || !member.credential.roles.includes('issuer'))
      throw new InspectorError(
        'Failed',
        'the peer of this data directory is no issuer: its credential has not that role'
      )
    return { mesh, authority, privateKey, issuer: { ...member, credentialChain: credential } }
  } catch (err) {
    if (err instanceof CredentialError)
      throw new InspectorError('Failed', `the credential of this relay: ${err.message}`)
    throw err
  }
}

const HINTS: Record<AuthorityError['reason'], string> = {
  exists: '`hedgerow mesh show` says what is there',
  missing: 'name its folder with --dir or HEDGEROW_MESH_DIR; `hedgerow mesh init <name>` makes one',
  passphrase: 'try again; nobody can sign for this mesh without it',
  malformed: 'restore the folder from a backup'
}

export function failureOf(error: AuthorityError): InspectorError {
  const code = error.reason === 'missing' || error.reason === 'exists' ? 'Usage' : 'Failed'
  return new InspectorError(code, error.message, [HINTS[error.reason]], { cause: error })
}

/** What the membership module refuses, as a failure of the command. */
export async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (err) {
    if (err instanceof CredentialError) throw new InspectorError('Failed', err.message, [], { cause: err })
    throw err
  }
}
