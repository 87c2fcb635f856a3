import type { Clock } from '@hedgerow/daemon/clock'
import type { Logger } from 'pino'

export interface EdgeRegistrationInit {
  /** origin of the edge */
  edge: string
  /** its secret, `EDGE_TOKEN` there */
  token: string
  name: string
  peerId: string
  /** where this relay is reached from the internet; undefined while nobody knows */
  url(): string | undefined
}

export interface EdgeRegistrationComponents {
  clock: Clock
  /** from 0 to 1 */
  random(): number
  /** milliseconds since 1970: the edge's days are of the calendar */
  today(): number
  log: Logger
}

/** Milliseconds between two heartbeats: four may be lost before the edge counts this relay as gone. */
export const INTERVAL = 30_000
/** Milliseconds. */
export const FIRST_BACKOFF = 5000
export const MAX_BACKOFF = 5 * 60_000
/** Of a wait after a failure, so that relays that failed together don't come together. */
const JITTER = 0.1
/** Writes a day of the list that the edge keeps in KV; it counts too, but what it reads may be a minute old. */
export const DAILY_WRITES = 250
const TIMEOUT = 10_000
/** Bytes of an answer. */
const MAX_ANSWER = 16 * 1024
const DAY = 86_400_000
/** Answers that say a maintainer has something to do; asking sooner again changes nothing. */
const HOPELESS = new Set([400, 401, 403, 405, 409])

/**
 * Tells an edge where this relay is: registers, then a heartbeat every 30 s, and again when the URL changes. An edge that
 * is out of reach is asked with back-off; the relay works all the same. Nothing that the edge answers changes the relay.
 */
export class EdgeRegistration {
  readonly #init: EdgeRegistrationInit
  readonly #components: EdgeRegistrationComponents
  #timer: unknown
  #asking: AbortController | undefined
  #started = false
  #isRegistered = false
  #failures = 0
  #written = { day: 0, count: 0 }
  /** said once, until it is something else */
  #state = ''

  constructor(init: EdgeRegistrationInit, components: EdgeRegistrationComponents) {
    this.#init = init
    this.#components = components
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    void this.#beat()
  }

  /** The URL is another. */
  changed(): void {
    if (!this.#started) return
    this.#isRegistered = false
    this.#failures = 0
    void this.#beat()
  }

  /** The edge finds out by the silence; requests that it still sends are answered as those of everybody. */
  stop(): void {
    this.#started = false
    this.#components.clock.clearTimeout(this.#timer)
    this.#asking?.abort()
  }

  async #beat(): Promise<void> {
    const { clock, log } = this.#components
    clock.clearTimeout(this.#timer)
    this.#asking?.abort()
    const asking = new AbortController()
    this.#asking = asking
    const url = this.#init.url()
    let wait = INTERVAL
    if (url == null) this.#say('waiting', () => log.info('the edge is told of this relay once it has a public URL'))
    else
      try {
        await this.#tell(url, asking.signal)
        this.#failures = 0
        this.#say('registered', () => log.info({ edge: this.#init.edge, url }, 'the edge knows this relay'))
      } catch (err) {
        // Stopped, or begun anew meanwhile.
        if (asking.signal.aborted) return
        wait = this.#afterFailure(err)
      }
    if (asking.signal.aborted) return
    this.#timer = clock.setTimeout(() => void this.#beat(), wait)
  }

  async #tell(url: string, signal: AbortSignal): Promise<void> {
    const { edge, token, name, peerId } = this.#init
    const day = Math.floor(this.#components.today() / DAY)
    if (this.#written.day !== day) this.#written = { day, count: 0 }
    const path = this.#isRegistered ? '/api/edge/heartbeat' : '/api/worker/register'
    const response = await fetch(new URL(path, edge), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ worker_id: name, peer_id: peerId, url, may_write: this.#written.count < DAILY_WRITES }),
      // The secret is for this edge alone.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)])
    })
    const answer = await readAnswer(response)
    if (response.ok) {
      this.#isRegistered = true
      if (answer.seed === 'written') this.#written.count++
      return
    }
    this.#isRegistered = false
    throw new Refused(response.status, answer.detail, Number(response.headers.get('retry-after') ?? 0) * 1000)
  }

  /** @returns milliseconds until the next try */
  #afterFailure(err: unknown): number {
    const { log, random } = this.#components
    const { edge } = this.#init
    const full = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(this.#failures++, 16))
    const backoff = full * (1 - JITTER * random())
    if (!(err instanceof Refused)) {
      this.#say('unreachable', () =>
        log.warn({ edge, reason: reasonOf(err) }, 'the edge is out of reach; trying again')
      )
      return backoff
    }
    const { status, message: reason, retryAfter } = err
    this.#say(`refused ${status}`, () =>
      status === 401
        ? log.error({ edge, reason }, 'the edge does not take this relay: HEDGEROW_EDGE_TOKEN is not its EDGE_TOKEN')
        : log.warn({ edge, status, reason }, 'the edge does not take this relay; trying again')
    )
    if (HOPELESS.has(status)) return MAX_BACKOFF
    return Math.min(MAX_BACKOFF, Math.max(backoff, Number.isFinite(retryAfter) ? retryAfter : 0))
  }

  #say(state: string, write: () => void): void {
    if (this.#state !== state) write()
    this.#state = state
  }
}

/** The edge answered, and not with yes. */
class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number
  /** milliseconds; 0 when it said none */
  readonly retryAfter: number

  constructor(status: number, detail: string, retryAfter: number) {
    super(detail)
    this.status = status
    this.retryAfter = retryAfter
  }
}

/** What matters of an answer; empty when it is anything else than an edge's. @throws {Error} when the edge breaks off */
async function readAnswer({ body }: Response): Promise<{ seed: string; detail: string }> {
  const none = { seed: '', detail: '' }
  if (body == null) return none
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > MAX_ANSWER) return none
    chunks.push(chunk)
  }
  try {
    const answer: unknown = JSON.parse(Buffer.concat(chunks).toString())
    if (typeof answer !== 'object' || answer == null) return none
    return {
      seed: 'seed' in answer && typeof answer.seed === 'string' ? answer.seed : '',
      detail: 'detail' in answer && typeof answer.detail === 'string' ? answer.detail.slice(0, 500) : ''
    }
  } catch {
    return none
  }
}

/** `fetch` says that it failed; why stands in its cause. */
function reasonOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  return err.cause instanceof Error ? err.cause.message || err.message : err.message
}
