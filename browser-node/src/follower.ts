import type { Invoker } from '@hedgerow/protocols/invocation'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { Trust } from '@hedgerow/protocols/membership'
import { createParser } from 'eventsource-parser'
import { fromString } from 'uint8arrays/from-string'
import { EVENTS_SILENCE, EVENTS_WORTH, FIRST_BACKOFF, MAX_BACKOFF, MAX_EVENT } from './constants.ts'

export interface FollowerComponents {
  invoker: Invoker
  ledger: Ledger
  /** hears what is revoked */
  trust: Trust
  /** peers that can be asked, the best first */
  sources(): string[]
  /** called with a peer that has gone silent */
  doubt(peer: string): void
}

/** What isn't signed as it must be says nothing. */
const ignore = (): void => {}

const STATEMENTS = new Set(['advert', 'goodbye', 'load'])

/**
 * Hears what the mesh says: reads one peer's stream of signed statements (`GET /events`), and another's when that ends.
 * Every statement carries its author's own signature, so it matters little whose stream it is.
 */
export class Follower {
  readonly #components: FollowerComponents
  readonly #stopped = new AbortController()
  readonly #caughtUp = Promise.withResolvers<void>()
  #running = false
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** whom it reads now */
  source: string | undefined

  constructor(components: FollowerComponents) {
    this.#components = components
  }

  /** resolves when everything that one peer knew has been heard */
  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise
  }

  /** Somebody can be asked, perhaps for the first time. */
  wake(): void {
    if (this.#running || this.#stopped.signal.aborted) return
    clearTimeout(this.#timer)
    void this.#run()
  }

  stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    this.#running = true
    const tried = new Set<string>()
    try {
      for (;;) {
        const peer = this.#components.sources().find(source => !tried.has(source))
        if (peer == null) return
        tried.add(peer)
        this.source = peer
        const startedAt = performance.now()
        const heard = await this.#read(peer).catch(() => false)
        if (this.#stopped.signal.aborted) return
        // Who has told something, and for a while, may be asked again.
        if (!heard || performance.now() - startedAt < EVENTS_WORTH) continue
        this.#failures = 0
        tried.clear()
      }
    } finally {
      this.source = undefined
      this.#running = false
      if (!this.#stopped.signal.aborted) this.#pause()
    }
  }

  #pause(): void {
    const pause = Math.min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** this.#failures++)
    this.#timer = setTimeout(() => this.wake(), pause)
  }

  /** Reads until the stream ends. @returns whether it told everything it knew */
  async #read(peer: string): Promise<boolean> {
    const silent = new AbortController()
    const signal = AbortSignal.any([this.#stopped.signal, silent.signal])
    let heard = false
    // One statement after the other: an advert before the load report that follows it.
    let learning: Promise<unknown> = Promise.resolve()
    const parser = createParser({
      // beyond that, it takes no more, and the stream is left
      maxBufferSize: MAX_EVENT,
      onEvent: ({ event, data }) => {
        if (event != null && STATEMENTS.has(event)) learning = learning.then(() => this.#learn(data))
        else if (event === 'revocation')
          learning = learning.then(() => this.#components.trust.revoke(data)).catch(ignore)
        else if (event === 'caught-up')
          learning = learning.then(() => {
            heard = true
            this.#caughtUp.resolve()
          })
      }
    })
    let timer: ReturnType<typeof setTimeout> | undefined
    const listen = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        this.#components.doubt(peer)
        silent.abort(new Error('the event stream went silent'))
      }, EVENTS_SILENCE)
    }
    try {
      listen()
      const request = { method: 'GET', path: '/events', headers: { accept: 'text/event-stream' }, body: null }
      const { status, body } = await this.#components.invoker.invoke(peer, request, { signal })
      if (status !== 200) return false
      const decoder = new TextDecoder()
      for await (const chunk of body) {
        listen()
        parser.feed(decoder.decode(chunk, { stream: true }))
        await learning
      }
      return heard
    } finally {
      clearTimeout(timer)
    }
  }

  async #learn(data: string): Promise<void> {
    try {
      await this.#components.ledger.learn(fromString(data, 'base64'))
    } catch {
      // not base64: whoever sent it says nothing
    }
  }
}
