import { MAX_CHAIN_LENGTH, proveKey } from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import { Ajv } from 'ajv'
import { request } from 'undici'
import type { Grant } from './issuer.ts'

const MAX_ANSWER = 64 * 1024
const TIMEOUT = 10_000

const ajv = new Ajv()
const checkNonce = ajv.compile<{ nonce: string }>({
  type: 'object',
  required: ['nonce'],
  properties: { nonce: { type: 'string', maxLength: 256 } }
})
const checkGrant = ajv.compile<{ credential: string; expires_at: string; mesh: string; authority: string }>({
  type: 'object',
  required: ['credential', 'expires_at', 'mesh', 'authority'],
  properties: {
    credential: { type: 'string', maxLength: MAX_CHAIN_LENGTH },
    expires_at: { type: 'string', maxLength: 40 },
    mesh: { type: 'string', maxLength: 63 },
    authority: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' }
  }
})
const checkProblem = ajv.compile<{ code?: string; detail: string }>({
  type: 'object',
  required: ['detail'],
  properties: { code: { type: 'string' }, detail: { type: 'string' } }
})

export interface EnrolInit {
  /** the issuer's web address */
  url: string
  mesh: string
  privateKey: PrivateKey
  /** as a maintainer gave it; without one, the caller must be known by something else */
  invite?: string
  /** such as an API key, for a caller that has one */
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** An issuer's no. What else goes wrong (nobody answers, something else does) is a plain `Error`. */
export class EnrolmentRefused extends Error {
  override readonly name = 'EnrolmentRefused'
  readonly status: number
  /** the mesh's, as in `InviteUsedUp` */
  readonly code: string | undefined

  constructor(status: number, code: string | undefined, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }

  /** whether the same question may be answered otherwise by another relay, or later */
  get isFinal(): boolean {
    return this.status < 500 && this.status !== 429 && this.status !== 404 && this.code !== 'InvalidProof'
  }
}

/** Proves a key to an issuer and gets a credential for it. @throws {EnrolmentRefused} @throws {Error} */
export async function enrol({ url, mesh, privateKey, invite, headers = {}, signal }: EnrolInit): Promise<Grant> {
  const timeout = AbortSignal.timeout(TIMEOUT)
  const within = signal == null ? timeout : AbortSignal.any([signal, timeout])
  const target = new URL('/api/enrol', url)
  const answer = await ask(target, { headers, signal: within })
  if (!checkNonce(answer)) throw new Error(`${target} does not answer as an issuer would: {nonce}`)
  const { peerId, publicKey, proof } = await proveKey(privateKey, mesh, answer.nonce)
  const granted = await ask(target, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ peer_id: peerId, public_key: publicKey, nonce: answer.nonce, proof, invite }),
    signal: within
  })
  if (!checkGrant(granted)) throw new Error(`${target} does not answer as an issuer would: {credential, ...}`)
  return { credential: granted.credential, expiresAt: Date.parse(granted.expires_at) / 1000 }
}

async function ask(target: URL, options: Parameters<typeof request>[1]): Promise<unknown> {
  const { statusCode, body } = await request(target, options)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER) throw new Error(`${target} answers more than ${MAX_ANSWER} bytes: it is no issuer`)
    chunks.push(chunk)
  }
  return readAnswer(target, statusCode, Buffer.concat(chunks))
}

/** What an issuer, or whoever is there instead, answers. @throws {EnrolmentRefused} @throws {Error} */
export function readAnswer(target: URL, statusCode: number, body: Buffer): unknown {
  let content: unknown
  try {
    content = JSON.parse(body.toString())
  } catch {
    throw new Error(`${target} answers ${statusCode}, and no JSON: it is no issuer, or not ready`)
  }
  if (statusCode < 300) return content
  if (!checkProblem(content)) throw new Error(`${target} answers ${statusCode}: it is no issuer, or not ready`)
  throw new EnrolmentRefused(statusCode, content.code, content.detail.slice(0, 500))
}
