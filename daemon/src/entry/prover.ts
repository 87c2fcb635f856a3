import type { EntryPoint } from '@hedgerow/protocols/advert'
import { MAX_ENTRIES } from '@hedgerow/protocols/advert'
import type { Scope } from '@hedgerow/protocols/vouch'
import type { Logger } from 'pino'
import type { Clock } from '../clock/index.ts'
import type { DialBackResult } from '../dial-back/index.ts'
import { type Claim, kindOf } from './claim.ts'
import * as constants from './constants.ts'

export interface ProverComponents {
  /** the addresses to prove, the best first */
  claims(): Claim[]
  /** peers that may be asked, the best first */
  askable(): string[]
  ask(peerId: string, addr: string, signal: AbortSignal): Promise<DialBackResult>
  clock: Clock
  /** from 0 to 1 */
  random(): number
  log: Logger
  /** other addresses are proved than before, or by others */
  onChange(change: ProofChange): void
}

/** Addresses for which something is new: proved, proved no more, or found not to be reached without ever having been. */
export interface ProofChange {
  proved: string[]
  lost: string[]
  failed: string[]
}

interface Proof {
  scope: Scope
  vouch: Uint8Array
  by: string
  at: number
}

interface State {
  claim: Claim
  proof?: Proof
  /** rounds in a row that ended without proof */
  tries: number
  /** of these, in a row, those in which somebody tried */
  failures: number
  /** by the clock: when it is tried next */
  due: number
  /** of its last round */
  outcome?: Round['outcome']
  /** by the clock: when its last round ended */
  at: number
  /** said in the log, until it is something else */
  said: string
  problem?: string
}

/** How one claim stands, for the peer's owner. */
export interface ClaimReport {
  addr: string
  verified: boolean
  kind?: EntryPoint['kind']
  by?: string
  problem?: string
}

/** What came of one round: `unknown` when nobody could or would say. */
type Round = { outcome: 'reached'; proof: Proof } | { outcome: 'unreachable' | 'unknown'; problem: string }

/**
 * Has other peers prove that this one is reached where it thinks it is, and again every few minutes. What isn't reached is
 * tried again with back-off, and nobody hears of it.
 */
export class Prover {
  readonly #components: ProverComponents
  readonly #states = new Map<string, State>()
  #timer: unknown
  #running = false
  #again = false
  #stopped: AbortController | undefined

  constructor(components: ProverComponents) {
    this.#components = components
  }

  start(): void {
    this.#stopped ??= new AbortController()
    this.changed()
  }

  stop(): void {
    this.#stopped?.abort()
    this.#stopped = undefined
    this.#components.clock.clearTimeout(this.#timer)
  }

  /** The addresses may be others, or there may be somebody new to ask. */
  changed(): void {
    if (this.#stopped == null) return
    this.#takeBack()
    this.#schedule(constants.GATHER)
  }

  /** Somebody new may be asked: what nobody could say may be said now. */
  met(): void {
    const { clock } = this.#components
    for (const state of this.#states.values())
      if (state.proof == null && state.outcome === 'unknown')
        state.due = Math.min(state.due, Math.max(clock.now(), state.at + constants.MEET_INTERVAL))
    this.changed()
  }

  /** A peer has left: what it vouched for is proved by nobody. */
  left(peerId: string): void {
    const { clock } = this.#components
    const orphans = [...this.#states.values()].filter(({ proof }) => proof?.by === peerId)
    for (const state of orphans) state.due = clock.now()
    if (orphans.length > 0) this.changed()
  }

  /** What is proved now. */
  entries(): EntryPoint[] {
    return [...this.#states.values()]
      .flatMap(({ claim, proof }) =>
        proof == null ? [] : [{ kind: kindOf(claim, proof.scope), addr: claim.addr, vouch: proof.vouch }]
      )
      .slice(0, MAX_ENTRIES)
  }

  report(): ClaimReport[] {
    return [...this.#states.values()]
      .filter(({ claim, proof }) => claim.from !== 'guess' || proof != null)
      .map(({ claim, proof, problem }) => ({
        addr: claim.addr,
        verified: proof != null,
        ...(proof == null ? {} : { kind: kindOf(claim, proof.scope), by: proof.by }),
        ...(problem == null || proof != null ? {} : { problem })
      }))
  }

  /** What is claimed no more counts no more, at once. */
  #takeBack(): void {
    const claims = this.#components.claims()
    const lost: string[] = []
    for (const [addr, { proof }] of this.#states) {
      if (claims.some(claim => claim.addr === addr)) continue
      this.#states.delete(addr)
      if (proof != null) lost.push(addr)
    }
    for (const claim of claims) {
      const known = this.#states.get(claim.addr)
      if (known == null)
        this.#states.set(claim.addr, {
          claim,
          tries: 0,
          failures: 0,
          due: this.#components.clock.now(),
          at: 0,
          said: ''
        })
      else known.claim = claim
    }
    if (lost.length > 0) this.#components.onChange({ proved: [], lost, failed: [] })
  }

  #schedule(atLeast = 0): void {
    const { clock } = this.#components
    if (this.#stopped == null) return
    if (this.#running) {
      this.#again = true
      return
    }
    clock.clearTimeout(this.#timer)
    const next = Math.min(...[...this.#states.values()].map(({ due }) => due))
    if (next === Number.POSITIVE_INFINITY) return
    this.#timer = clock.setTimeout(() => void this.#run(), Math.max(atLeast, next - clock.now()))
  }

  async #run(): Promise<void> {
    if (this.#running || this.#stopped == null) return
    this.#running = true
    const { signal } = this.#stopped
    try {
      const due = [...this.#states.values()].filter(state => state.due <= this.#components.clock.now())
      for (const state of due) {
        const round = await this.#round(state.claim, signal)
        if (signal.aborted) return
        if (this.#states.get(state.claim.addr) === state) this.#settle(state, round)
      }
    } finally {
      this.#running = false
      const wait = this.#again ? constants.GATHER : 0
      this.#again = false
      this.#schedule(wait)
    }
  }

  async #round({ addr }: Claim, stopped: AbortSignal): Promise<Round> {
    const { askable, ask, clock, log } = this.#components
    const peers = askable().slice(0, ASKED_OF_MANY)
    let asked = 0
    let tried = 0
    for (const peer of peers) {
      if (asked === constants.ASKED) break
      const signal = AbortSignal.any([stopped, AbortSignal.timeout(constants.ASK_TIMEOUT)])
      try {
        const result = await ask(peer, addr, signal)
        if (result.outcome === 'reached')
          return { outcome: 'reached', proof: { scope: result.scope, vouch: result.vouch, by: peer, at: clock.now() } }
        if (result.outcome === 'unreachable') tried++
        log.debug({ peer, addr, outcome: result.outcome }, 'a peer did not reach this one')
        // Whoever refuses by rule has cost nothing: another may be elsewhere.
        if (result.outcome === 'unreachable' || result.outcome === 'busy') asked++
      } catch (err) {
        log.debug({ err, peer, addr }, 'a peer could not be asked to dial back')
      }
      if (stopped.aborted) break
    }
    if (tried > 0)
      return {
        outcome: 'unreachable',
        problem: `${tried} ${tried === 1 ? 'peer' : 'peers'} tried and did not get through`
      }
    return {
      outcome: 'unknown',
      problem: peers.length === 0 ? 'there is no other peer to try it yet' : 'no other peer is where it could try it'
    }
  }

  #settle(state: State, round: Round): void {
    const { clock, onChange, random } = this.#components
    const { claim, proof: before } = state
    const now = clock.now()
    state.outcome = round.outcome
    state.at = now
    if (round.outcome === 'reached') {
      state.proof = round.proof
      state.tries = 0
      state.failures = 0
      delete state.problem
      state.due = now + constants.RENEW_INTERVAL * (1 - random() / 4)
      this.#say(state, 'reached', { by: round.proof.by, scope: round.proof.scope })
      onChange({ proved: before == null ? [claim.addr] : [], lost: [], failed: [] })
      return
    }
    state.problem = round.problem
    state.tries++
    if (round.outcome === 'unreachable') state.failures++
    const most = claim.from === 'guess' ? constants.MAX_GUESS_RETRY : constants.MAX_RETRY
    state.due = now + Math.min(most, constants.FIRST_RETRY * 2 ** Math.min(16, state.tries - 1)) * (1 - random() / 4)
    const isLost =
      before != null &&
      (round.outcome === 'unreachable'
        ? state.failures >= constants.FAILURES_TO_LOSE
        : now - before.at >= constants.PROOF_LIFETIME)
    if (isLost) delete state.proof
    // A new name is not known everywhere at once.
    const isEarly = round.outcome === 'unreachable' && state.failures < constants.FAILURES_TO_LOSE
    if (state.proof == null && !isEarly) this.#say(state, round.outcome, { problem: round.problem })
    const hasFailed = before == null && round.outcome === 'unreachable' && state.failures === constants.FAILURES_TO_LOSE
    if (isLost) onChange({ proved: [], lost: [claim.addr], failed: [] })
    else if (hasFailed) onChange({ proved: [], lost: [], failed: [claim.addr] })
  }

  /** Once for each state; of what nobody claimed, only that it works. */
  #say(state: State, what: Round['outcome'], details: object): void {
    const { addr, from } = state.claim
    if (state.said === what) return
    state.said = what
    const { log } = this.#components
    if (what === 'reached') log.info({ addr, ...details }, 'this peer is an entry point: another one has reached it')
    else if (from === 'guess') log.debug({ addr, ...details }, 'others do not reach this peer there')
    else if (what === 'unknown') log.info({ addr, ...details }, 'this peer is no entry point yet')
    else log.warn({ addr, ...details }, `this peer is no entry point: ${ADVICE[from]}`)
  }
}

/** Some of many refuse, being at this peer's own address, say. */
const ASKED_OF_MANY = 12

const ADVICE: { [from in Exclude<Claim['from'], 'guess'>]: string } = {
  tunnel: 'look whether the tunnel leads to HEDGEROW_TUNNEL_PORT and carries WebSockets, and whether the name is right',
  setting:
    'look whether HEDGEROW_URL or HEDGEROW_ANNOUNCE is right, and whether firewall and router let connections in',
  machine: 'a firewall keeps others out; open the port, or use a tunnel (docs/relay.md)'
}
