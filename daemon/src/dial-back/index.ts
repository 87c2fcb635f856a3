/**
 * Dialling back: a peer that would be an entry point asks another to dial it at an address, because nobody can tell of
 * himself whether he is reached. Who is found there vouches for it (`@hedgerow/protocols/vouch`).
 *
 * Whoever asks makes this peer dial, so that what it dials is narrow: TCP or a WebSocket's `/`, at an address that has to
 * do with the asker (`target.ts`), ending as soon as the other side has or hasn't proved to be the asker, and not often.
 *
 * @example
 * ```ts
 * const dialBack = new DialBack(components, { mesh, privateKey })
 * await dialBack.answer(peerId, '/dns4/mesh.example.org/tcp/443/tls/ws') // { outcome: 'reached', scope, vouch }
 * ```
 */
import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import { Rates } from '@hedgerow/protocols/rate'
import { sealVouch } from '@hedgerow/protocols/vouch'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Logger } from 'pino'
import {
  DIAL_BACK_RATE,
  DIAL_BACK_TIMEOUT,
  DIAL_BACKS_RATE,
  MAX_DIAL_BACKS,
  MAX_RESOLVED,
  TARGET_RATE
} from './constants.ts'
import type { DialBackResult, Outcome } from './outcome.ts'
import { type Asker, judgeTarget, readTarget, type Target } from './target.ts'

export { askDialBack, type DialBackAnswer } from './ask.ts'
export { DIAL_BACK_PATH, MAX_DIAL_BACK_ADDR } from './constants.ts'
export { Dialler } from './dialler.ts'
export { networkKindOf } from './network.ts'
export { type DialBackResult, OUTCOMES, type Outcome } from './outcome.ts'
export { seenAt } from './seen-at.ts'
export { readTarget } from './target.ts'

export interface DialBackComponents {
  /** dials, and throws when that peer isn't there */
  dial(target: Target, peer: PeerId, resolved: readonly string[], signal: AbortSignal): Promise<void>
  /** what this peer knows of whoever asks */
  askerOf(peerId: string): Asker
  /** IP addresses of this peer itself */
  ownIps(): ReadonlySet<string>
  /** milliseconds of a clock that never goes back */
  now(): number
  /** milliseconds since 1970 */
  today(): number
  log: Logger
  onOutcome?(outcome: Outcome): void
  /** @default what the machine's name server says */
  resolve?(name: string): Promise<string[]>
}

export interface DialBackInit {
  mesh: string
  privateKey: PrivateKey
}

export class DialBack {
  readonly #components: DialBackComponents
  readonly #init: DialBackInit
  readonly #byPeer: Rates
  readonly #byTarget: Rates
  readonly #all: Rates
  #dialling = 0

  constructor(components: DialBackComponents, init: DialBackInit) {
    this.#components = components
    this.#init = init
    const { now } = components
    this.#byPeer = new Rates({ ...DIAL_BACK_RATE, now })
    this.#byTarget = new Rates({ ...TARGET_RATE, now })
    this.#all = new Rates({ ...DIAL_BACKS_RATE, now, max: 1 })
  }

  /** Dials a peer that asks for it, or doesn't. @param peerId as its connection proves it */
  async answer(peerId: string, addr: string, signal?: AbortSignal): Promise<DialBackResult> {
    const result = await this.#answer(peerId, addr, signal)
    this.#components.onOutcome?.(result.outcome)
    return result
  }

  async #answer(peerId: string, addr: string, signal: AbortSignal | undefined): Promise<DialBackResult> {
    const target = readTarget(addr)
    if (target == null) return { outcome: 'refused' }
    if (this.#dialling >= MAX_DIAL_BACKS || !this.#byPeer.take(peerId) || !this.#all.take(''))
      return { outcome: 'busy' }
    const { log } = this.#components
    const late = AbortSignal.timeout(DIAL_BACK_TIMEOUT)
    this.#dialling++
    try {
      return await this.#dial(peerId, addr, target, signal == null ? late : AbortSignal.any([late, signal]))
    } catch (err) {
      // Why is for nobody else: it would tell who asks what there is at an address.
      log.debug({ err, peer: peerId, addr }, 'a peer is not where it says')
      return { outcome: 'unreachable' }
    } finally {
      this.#dialling--
    }
  }

  async #dial(peerId: string, addr: string, target: Target, signal: AbortSignal): Promise<DialBackResult> {
    const { askerOf, ownIps, dial, today, resolve = addressesOf } = this.#components
    const resolved = isIP(target.host) === 0 ? await within(resolve(target.host), signal) : [target.host]
    if (resolved.length > MAX_RESOLVED) return { outcome: 'refused' }
    const scope = judgeTarget(target, addr, resolved, askerOf(peerId), ownIps())
    if (scope === 'refused' || scope === 'same-address') return { outcome: scope }
    if (!resolved.every(ip => this.#byTarget.take(ip))) return { outcome: 'busy' }
    await dial(target, peerIdFromString(peerId), resolved, signal)
    const vouch = await sealVouch({ peerId, addr, scope, at: today() / 1000 }, this.#init)
    return { outcome: 'reached', scope, vouch }
  }
}

async function addressesOf(name: string): Promise<string[]> {
  return (await promisify(lookup)(name, { all: true })).map(({ address }) => address)
}

/** Node can't stop a look-up; whoever waits for it can. */
function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
