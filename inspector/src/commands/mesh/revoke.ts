import { readFile } from 'node:fs/promises'
import { inviteSubject, MAX_TTL, openRevocation, readInvite, sealRevocation } from '@hedgerow/protocols/membership'
import { request } from 'undici'
import { InspectorError, ProblemError } from '../../errors.ts'
import { peerIdOf } from './rights.ts'
import { refusing, type Signer } from './signer.ts'

const TIMEOUT = 10_000
const MAX_ANSWER = 64 * 1024

export interface RevokeReport {
  /** who is taken out; left out where it is an invite that is taken back */
  peer_id?: string
  /** which invite is taken back, by its id */
  invite_id?: string
  mesh: string
  /** `authority`, or the peer id of the relay */
  issuer: string
  revocation: string
  /** who took it, and spreads it */
  sent_to: string[]
}

/**
 * Takes back all that a peer was given until now, or an invite.
 *
 * @param what a peer id, or an invite
 * @throws {InspectorError}
 */
export async function revoke(signer: Signer, what: string, urls: string[], signal: AbortSignal): Promise<RevokeReport> {
  const { mesh, authority, privateKey, issuer } = signer
  const invite = what.split('.').length === 3 ? await refusing(readInvite(what)) : undefined
  if (invite != null && invite.mesh !== mesh)
    throw new InspectorError('Usage', `this invite is for ${invite.mesh}, and not for ${mesh}`)
  const subject = invite == null ? peerIdOf(what) : inviteSubject(invite.id)
  const now = Math.floor(Date.now() / 1000)
  const revocation = await refusing(
    sealRevocation(
      { mesh, subject, expiresAt: now + MAX_TTL },
      { privateKey, ...(issuer == null ? {} : { chain: issuer.credentialChain }) }
    )
  )
  await refusing(openRevocation(revocation, { mesh, authority, now }))
  for (const url of urls) await send(url, revocation, signal)
  const named = invite == null ? { peer_id: subject } : { invite_id: invite.id }
  return { ...named, mesh, issuer: issuer?.peerId ?? 'authority', revocation, sent_to: urls }
}

/** @throws {InspectorError} */
export async function readRevocation(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(err => {
    throw new InspectorError('Usage', `${file} can't be read (${err.code})`)
  })
  return text.trim()
}

/** @throws {InspectorError} */
export async function send(url: string, revocation: string, signal: AbortSignal): Promise<void> {
  const target = URL.parse('/api/admin/revocations', url)
  if (target == null || !/^https?:$/.test(target.protocol))
    throw new InspectorError('Usage', `${url} is not a URL such as https://mesh.example.org`)
  let status: number
  let text: string
  try {
    const { statusCode, body } = await request(target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ revocation }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)])
    })
    status = statusCode
    text = (await body.text()).slice(0, MAX_ANSWER)
  } catch (err) {
    signal.throwIfAborted()
    const reason = err instanceof Error ? ('code' in err ? String(err.code) : err.message) : String(err)
    throw new InspectorError('Unreachable', `no answer from ${url} (${reason}); nothing was revoked there`, [
      'name another with --daemon <url>; one peer of the mesh is enough'
    ])
  }
  if (status < 300) return
  throw new ProblemError(status, undefined, `${url} does not take it: ${detailIn(text) ?? `it answers ${status}`}`)
}

function detailIn(text: string): string | undefined {
  try {
    const { detail } = JSON.parse(text)
    return typeof detail === 'string' ? detail : undefined
  } catch {
    return undefined
  }
}
