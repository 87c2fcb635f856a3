import { readFile } from 'node:fs/promises'
import { parseMesh } from '@hedgerow/daemon/authority'
import { parseMembership } from '@hedgerow/daemon/membership'
import {
  CredentialError,
  isAuthorityOf,
  openInvite,
  openRevocation,
  peekToken,
  publicKeyOf,
  readInvite,
  verifyChain
} from '@hedgerow/protocols/membership'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import { InspectorError } from '../../errors.ts'

/** One token, as it says itself. */
export interface Said {
  /** `authority`, or a peer id */
  issuer: string
  subject?: string
  roles?: string[]
  services?: string[]
  classes?: string[]
  /** ISO 8601 */
  issued_at?: string
  expires_at: string
}

export interface ShowReport {
  kind: 'mesh' | 'membership' | 'credential' | 'invite' | 'revocation'
  mesh: string
  /** base64url; null when what is shown doesn't tell, and nothing else did */
  authority: string | null
  /** the credential, and its issuer's */
  chain: Said[]
  invite?: { id: string; issuer: string; relays: string[]; uses: number; lasts_seconds: number }
  /** whether all of it holds now; null when that can't be told without the authority's key */
  good: boolean | null
  /** why not */
  fault?: string
  reason?: string
}

const MAX_FILE = 64 * 1024

/**
 * What a mesh file, a membership file, a credential, an invite or a revocation says, and whether it holds.
 *
 * @param given a file, or the text itself
 * @param meshFile tells the authority of what doesn't name it itself
 * @throws {InspectorError} Usage, when it is none of these
 */
export async function explain(given: string, meshFile?: string): Promise<ShowReport> {
  const text = (await contentOf(given)).trim()
  if (text.startsWith('{')) return showFile(text, given)
  const known =
    meshFile == null ? undefined : await parseMesh(await contentOf(meshFile)).catch(err => unusable(meshFile, err))
  const typ = typeOf(text.split('~')[0] ?? '')
  if (typ === 'hedgerow-invite+jwt') return showInvite(text)
  if (typ === 'hedgerow-credential+jwt') return showCredential(text, known?.authority)
  if (typ === 'hedgerow-revocation+jwt') return showRevocation(text, known?.authority)
  throw new InspectorError('Usage', `${shorten(given)} is neither a file nor something of a mesh`, [
    'give a mesh file, a membership file, a credential, an invite or a revocation'
  ])
}

async function contentOf(given: string): Promise<string> {
  if (given.length > 4096 || given.trimStart().startsWith('{')) return given
  try {
    const content = await readFile(given, 'utf8')
    if (content.length > MAX_FILE) throw new InspectorError('Usage', `${given} is too large to be anything of a mesh`)
    return content
  } catch (err) {
    if (err instanceof InspectorError) throw err
    return given
  }
}

async function showFile(text: string, given: string): Promise<ShowReport> {
  if (text.includes('"credential"')) {
    const { mesh, authority, credential } = await parseMembership(text).catch(err => unusable(given, err))
    return { ...(await showCredential(credential, authority)), kind: 'membership', mesh }
  }
  const { mesh, authority } = await parseMesh(text).catch(err => unusable(given, err))
  return { kind: 'mesh', mesh, authority: encode(authority, 'base64url'), chain: [], good: true }
}

function unusable(given: string, err: unknown): never {
  const reason = err instanceof Error ? err.message : String(err)
  throw new InspectorError('Failed', `${shorten(given)}: ${reason}`)
}

async function showCredential(chain: string, authority: Uint8Array | undefined): Promise<ShowReport> {
  const said = chain.split('~').map(saidIn)
  const mesh = meshIn(chain)
  return {
    kind: 'credential',
    mesh,
    authority: authority == null ? null : encode(authority, 'base64url'),
    chain: said,
    ...(await verdict(mesh, authority, now => verifyChain(chain, { mesh, authority: authority ?? NONE, now })))
  }
}

async function showRevocation(text: string, authority: Uint8Array | undefined): Promise<ShowReport> {
  const mesh = meshIn(text)
  return {
    kind: 'revocation',
    mesh,
    authority: authority == null ? null : encode(authority, 'base64url'),
    chain: text.split('~').map(saidIn),
    ...(await verdict(mesh, authority, now => openRevocation(text, { mesh, authority: authority ?? NONE, now })))
  }
}

async function showInvite(token: string): Promise<ShowReport> {
  const claims = peekToken(token)
  const key = typeof claims.authority === 'string' ? fromString(claims.authority, 'base64url') : NONE
  const mesh = meshIn(token)
  const base: ShowReport = {
    kind: 'invite',
    mesh,
    authority: encode(key, 'base64url'),
    chain: [saidIn(token)],
    ...(await verdict(mesh, key, async now => {
      const { issuer } = await readInvite(token)
      publicKeyOf(issuer)
      await openInvite(token, { mesh, authority: key, issuer, now })
    }))
  }
  try {
    const { id, issuer, relays, uses, ttl } = await readInvite(token)
    return { ...base, invite: { id, issuer, relays, uses, lasts_seconds: ttl } }
  } catch (err) {
    if (err instanceof CredentialError) return base
    throw err
  }
}

const NONE = new Uint8Array(32)

async function verdict(
  mesh: string,
  authority: Uint8Array | undefined,
  check: (now: number) => Promise<unknown>
): Promise<Pick<ShowReport, 'good' | 'fault' | 'reason'>> {
  if (authority == null)
    return { good: null, reason: "its authority's key is not known; name the mesh file with --mesh-file" }
  if (!(await isAuthorityOf(mesh, authority)))
    return { good: false, fault: 'WrongMesh', reason: `the authority named is not that of ${mesh}` }
  try {
    await check(Date.now() / 1000)
    return { good: true }
  } catch (err) {
    if (err instanceof CredentialError) return { good: false, fault: err.fault, reason: err.message }
    throw err
  }
}

function typeOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).typ
  } catch {
    return undefined
  }
}

function meshIn(text: string): string {
  return String(claimsIn(text.split('~')[0] ?? '').mesh ?? '')
}

function claimsIn(token: string): Record<string, unknown> {
  try {
    return peekToken(token)
  } catch (err) {
    if (err instanceof CredentialError) throw new InspectorError('Failed', err.message)
    throw err
  }
}

function saidIn(token: string): Said {
  const { iss, sub, roles, services, classes, iat, exp } = claimsIn(token)
  return {
    issuer: String(iss),
    ...(typeof sub === 'string' ? { subject: sub } : {}),
    ...(Array.isArray(roles) ? { roles: roles.map(String) } : {}),
    ...(Array.isArray(services) ? { services: services.map(String) } : {}),
    ...(Array.isArray(classes) ? { classes: classes.map(String) } : {}),
    ...(isTime(iat) ? { issued_at: new Date(iat * 1000).toISOString() } : {}),
    expires_at: isTime(exp) ? new Date(exp * 1000).toISOString() : ''
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) < 8e12
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 40)}...`
}
