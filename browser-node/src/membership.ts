/**
 * A page's place in a closed mesh: a credential for its key, which lasts an hour or so, and another before that ends. It
 * comes from an issuer, a relay, to whom the page says why it may have one: by a token of the user who is signed in (an
 * API key, or one of an OIDC provider), by an invite, or by being on the relay's own machine.
 */
import { MeshError } from '@hedgerow/protocols/errors'
import { createTrust, isAuthorityOf, openTrust, proveKey, type Trust } from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import { fromString } from 'uint8arrays/from-string'
import type { Bootstrap } from './bootstrap.ts'
import { BOOTSTRAP_TIMEOUT, FIRST_BACKOFF, MAX_BACKOFF, RENEWAL } from './constants.ts'
import type { MeshInit } from './index.ts'
import { field } from './json.ts'
import { networkError } from './request.ts'

export type MembershipInit = Pick<MeshInit, 'relays' | 'credential' | 'invite' | 'token' | 'mesh'>

export class PageMembership {
  readonly trust: Trust
  readonly #privateKey: PrivateKey
  readonly #init: MembershipInit
  readonly #stopped = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  /** called with each new credential, once it is the page's own */
  onCredential: () => void = () => {}

  /** @throws {TypeError} when the relay is of another mesh than the page was made for, or lies about its authority */
  static async of(bootstrap: Bootstrap, privateKey: PrivateKey, init: MembershipInit): Promise<PageMembership> {
    const { url, mesh, authority } = bootstrap
    if (init.mesh != null && init.mesh !== mesh) throw closed(`${url} is a relay of ${mesh}, not of ${init.mesh}`)
    if (authority != null && !(await isAuthorityOf(mesh, authority)))
      throw closed(`${url} names another authority than ${mesh} has`)
    return new PageMembership(authority == null ? openTrust(mesh) : createTrust({ mesh, authority }), privateKey, init)
  }

  constructor(trust: Trust, privateKey: PrivateKey, init: MembershipInit) {
    this.trust = trust
    this.#privateKey = privateKey
    this.#init = init
    if (trust.authority != null) trust.own = init.credential ?? ''
  }

  /** Gets the first credential. @throws {TypeError} when no relay gives one */
  async start(signal: AbortSignal | undefined): Promise<void> {
    if (this.trust.authority == null) return
    if (this.trust.own === '') await this.#enrol(signal)
    this.#schedule()
  }

  stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#timer)
  }

  /** Somebody doesn't take the credential (any more). */
  renew(): void {
    clearTimeout(this.#timer)
    if (this.trust.authority == null || this.#stopped.signal.aborted) return
    this.#timer = setTimeout(() => void this.#next(), this.#failures === 0 ? 0 : pauseAfter(this.#failures))
  }

  /** Says who the user is, over plain HTTP; undefined where nobody is signed in. */
  async authorization(): Promise<string | undefined> {
    const { token } = this.#init
    const value = typeof token === 'function' ? await token() : token
    return value == null ? undefined : `Bearer ${value}`
  }

  #schedule(): void {
    const left = (this.trust.rights?.expiresAt ?? 0) - Date.now() / 1000
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#next(), Math.max(1, Math.min(left * RENEWAL, MAX_TIMER)) * 1000)
  }

  async #next(): Promise<void> {
    try {
      await this.#enrol(this.#stopped.signal)
      this.#failures = 0
      this.onCredential()
      this.#schedule()
    } catch {
      this.#failures++
      this.renew()
    }
  }

  /** Any relay may be an issuer; the first that gives a credential is enough. */
  async #enrol(signal: AbortSignal | undefined): Promise<void> {
    const failures: unknown[] = []
    for (const url of this.#init.relays) {
      try {
        this.trust.own = await this.#ask(url, signal)
        return
      } catch (err) {
        signal?.throwIfAborted()
        failures.push(err)
      }
    }
    throw (
      failures.find(err => err instanceof TypeError && err.cause instanceof MeshError) ??
      closed(`no relay gives this page a credential: ${failures.map(String).join('; ')}`)
    )
  }

  async #ask(url: string, signal: AbortSignal | undefined): Promise<string> {
    const authorization = await this.authorization()
    const target = new URL('/api/enrol', url)
    const headers = { 'content-type': 'application/json', ...(authorization == null ? {} : { authorization }) }
    const late = AbortSignal.timeout(BOOTSTRAP_TIMEOUT)
    const options = { cache: 'no-store', signal: signal == null ? late : AbortSignal.any([signal, late]) } as const
    const nonce = field(await jsonOf(await fetch(target, { ...options, headers })), 'nonce')
    if (typeof nonce !== 'string') throw new Error(`${target} does not answer as an issuer would: {nonce}`)
    const { peerId, publicKey, proof } = await proveKey(this.#privateKey, this.trust.mesh, nonce)
    const { invite } = this.#init
    const body = JSON.stringify({ peer_id: peerId, public_key: publicKey, nonce, proof, invite })
    const credential = field(
      await jsonOf(await fetch(target, { ...options, method: 'POST', headers, body })),
      'credential'
    )
    if (typeof credential !== 'string') throw new Error(`${target} does not answer as an issuer would: {credential}`)
    await this.trust.judge(credential, peerId)
    return credential
  }
}

/** Seconds; a timer of a browser can't be set much further ahead than three weeks. */
const MAX_TIMER = 20 * 86_400

function pauseAfter(failures: number): number {
  return Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** failures) * (0.75 + Math.random() / 2)
}

/** @throws {TypeError} with an issuer's no as its cause */
async function jsonOf(response: Response): Promise<unknown> {
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok) return body
  const detail = field(body, 'detail')
  if (response.status === 401 || response.status === 403 || response.status === 409)
    throw closed(`${typeof detail === 'string' ? detail.slice(0, 300) : response.status}`)
  throw new Error(`${response.url} answers ${response.status}`)
}

function closed(why: string): TypeError {
  return networkError(
    new MeshError(
      'Unauthorized',
      `this mesh is closed, and does not let this page in (${why}); give joinMesh a token of the user, an invite or a credential`,
      { retry_safe: true }
    )
  )
}

/** @returns undefined when it is none */
export function authorityIn(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' && /^[\w-]{43}$/.test(value) ? fromString(value, 'base64url') : undefined
}
