/** Lets requests of one listener in, or refuses them: who asks, how often, how many at once, and for what. */
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { MeshError } from '@hedgerow/protocols/errors'
import type { Rates } from '@hedgerow/protocols/rate'
import { type Addresses, countedAs } from './address.ts'
import { ANONYMOUS, type Caller, callerText, GUEST, LOCAL, OPEN, type Rate } from './caller.ts'
import type { Connections } from './connections.ts'
import { MAX_HEADERS, MAX_REQUESTS, MAX_REQUESTS_PER_CALLER } from './constants.ts'
import type { Identities } from './identities.ts'
import { isAllowedOrigin, type Localities } from './locality.ts'
import { nobody } from './refusals.ts'
import type { Need } from './routes.ts'

/** `local`: bound to loopback; `public`: any other address; `tunnel`: where a tunnel brings the world. */
export type ListenerKind = 'local' | 'public' | 'tunnel'

export interface GateInit {
  kind: ListenerKind
  /** nobody has to say who they are */
  open: boolean
  corsOrigins: readonly string[]
  addressRate: Rate
}

export interface GateComponents {
  identities: Identities
  localities: Localities
  addresses: Addresses
  /** shared by all listeners */
  rates: { addresses: Rates; callers: Rates }
  /** requests under way, by caller; shared by all listeners */
  inHand: Map<string, number>
}

/** The answer, or the connection that is to be something else than HTTP: under way until it closes. */
type Closing = Pick<EventEmitter, 'once'>

export class Gate {
  readonly #init: GateInit
  readonly #components: GateComponents
  readonly #admitted = new WeakMap<IncomingMessage, Caller>()
  #connections: Pick<Connections, 'requests'> = { requests: 0 }

  constructor(components: GateComponents, init: GateInit) {
    this.#components = components
    this.#init = init
  }

  /** By what is counted how many requests are under way in all. */
  watch(connections: Pick<Connections, 'requests'>): void {
    this.#connections = connections
  }

  /** Who sent a request that was let in. */
  callerOf(message: IncomingMessage): Caller {
    return this.#admitted.get(message) ?? ANONYMOUS
  }

  /** The address behind a request, for logs: only strangers' is worth a word. */
  addressOf(message: IncomingMessage): string | undefined {
    return this.callerOf(message) === LOCAL ? undefined : this.#components.addresses.of(message)
  }

  /**
   * Whoever may call a service and can be told at once; undefined for all others, whom {@link admit} takes its time for.
   */
  quick(message: IncomingMessage, response: ServerResponse): Caller | undefined {
    const { headers } = message
    if (this.#init.kind === 'local' && headers.authorization === undefined && headers['x-api-key'] === undefined) {
      const isLocal = this.#components.localities.of(headers) === 'local'
      return isLocal && hasFewHeaders(message) && !this.#isFull() ? LOCAL : undefined
    }
    if (this.#components.identities.takesTime(headers)) return undefined
    const { authorization } = headers
    const key = headers['x-api-key']
    try {
      const caller = this.admit(message, response, 'call')
      return caller instanceof Promise ? undefined : caller
    } catch {
      // Whoever says why it is refused looks at it once more.
      headers.authorization = authorization
      headers['x-api-key'] = key
      return undefined
    }
  }

  /** @throws {MeshError} what it is refused with; also as a rejection */
  admit(message: IncomingMessage, response: Closing, need: Need): Caller | Promise<Caller> {
    // Asked within this process, with no network in between.
    if (!(message.socket instanceof Socket)) return this.#learn(message, LOCAL)
    if (!hasFewHeaders(message))
      throw new MeshError('TooManyHeaders', `a request may have up to ${MAX_HEADERS} headers here`, {
        limit: MAX_HEADERS
      })
    if (this.#isFull())
      throw new MeshError('Busy', 'as many requests are under way here as this peer takes; come back in a second', {
        retry_after: 1,
        retry_safe: true
      })
    const otherwise = this.#byPlace(message)
    const address = otherwise === LOCAL ? '' : this.#countAddress(message)
    const caller = this.#components.identities.of(message, otherwise)
    const enter = (who: Caller): Caller => {
      this.#count(who, address, response)
      check(who, need)
      return this.#learn(message, who)
    }
    return caller instanceof Promise ? caller.then(enter) : enter(caller)
  }

  /** For a connection that is to be something else than HTTP; others make sure who is at its end. @throws {MeshError} */
  admitUpgrade(message: IncomingMessage): void {
    const { origin } = message.headers
    if (origin != null && !isAllowedOrigin(origin, this.#init.corsOrigins)) throw foreignPage(origin)
    if (this.#byPlace(message) !== LOCAL) this.#countAddress(message)
  }

  #isFull(): boolean {
    return this.#connections.requests > MAX_REQUESTS
  }

  /** Who it is if nothing else says so. @throws {MeshError} Forbidden for who can't be meant to call */
  #byPlace({ headers }: IncomingMessage): Caller {
    const { kind, open } = this.#init
    const locality = kind === 'local' ? this.#components.localities.of(headers) : 'stranger'
    if (locality === 'foreign page') throw foreignPage(headers.origin ?? 'other sites')
    if (locality === 'foreign name')
      throw new MeshError(
        'Forbidden',
        `this peer listens on this machine alone and is not called ${String(headers.host).slice(0, 100)}`
      )
    if (locality === 'local') return LOCAL
    if (open) return OPEN
    return locality === 'guest' ? GUEST : ANONYMOUS
  }

  /** @returns what is counted as one address @throws {MeshError} RateLimited */
  #countAddress(message: IncomingMessage): string {
    const address = countedAs(this.#components.addresses.of(message))
    take(this.#components.rates.addresses, address, this.#init.addressRate, 'this address')
    return address
  }

  /** @throws {MeshError} RateLimited or Busy */
  #count(caller: Caller, address: string, response: Closing): void {
    if (caller === LOCAL) return
    const { inHand, rates } = this.#components
    const name = caller.id === '' ? address : callerText(caller)
    if (caller.rate != null) take(rates.callers, name, caller.rate, callerText(caller))
    const count = inHand.get(name) ?? 0
    if (count >= MAX_REQUESTS_PER_CALLER)
      throw new MeshError('RateLimited', `${count} requests of ${name} are under way already`, {
        retry_after: 1,
        retry_safe: true
      })
    inHand.set(name, count + 1)
    response.once('close', () => {
      const left = (inHand.get(name) ?? 1) - 1
      if (left === 0) inHand.delete(name)
      else inHand.set(name, left)
    })
  }

  #learn(message: IncomingMessage, caller: Caller): Caller {
    this.#admitted.set(message, caller)
    return caller
  }
}

function hasFewHeaders({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length <= MAX_HEADERS * 2
}

function take(rates: Rates, key: string, rate: Rate, who: string): void {
  if (rates.take(key, 1, rate)) return
  throw new MeshError('RateLimited', `${who} may send ${rate.perSecond} requests a second here`, {
    retry_after: rates.wait(key, 1, rate) / 1000,
    retry_safe: true
  })
}

function check(caller: Caller, need: Need): void {
  if (need === 'everybody' || caller.rights.has(need)) return
  if (caller.kind === 'anonymous') throw nobody()
  throw new MeshError('Forbidden', `this needs the right \`${need}\`, which ${callerText(caller)} does not have`)
}

function foreignPage(origin: string): MeshError {
  return new MeshError(
    'Forbidden',
    `pages of ${origin.slice(0, 100)} may not call this peer; HEDGEROW_CORS_ORIGINS names those that may`
  )
}
