import type { View } from '@hedgerow/protocols/view'
import type { Logger } from 'pino'
import type { Directory } from '../discovery/index.ts'
import { ENTRY_POINT_TTL, LOOKUP_INTERVAL, LOOKUP_TIMEOUT, MAX_FOUND } from './constants.ts'

export interface EntryFinderComponents {
  directory: Pick<Directory, 'providers' | 'fetchAdvert'>
  view: Pick<View, 'peer'>
  self: string
  /** throws when that peer doesn't answer */
  ping(peerId: string, signal: AbortSignal): Promise<unknown>
  now(): number
  log: Logger
}

/**
 * Looks in the DHT for entry points of which gossip has told nothing: at the start, and now and then. What the DHT has may be
 * long out of date, so whoever doesn't answer is left out.
 */
export class EntryFinder {
  readonly #components: EntryFinderComponents
  #stopped: AbortController | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined

  constructor(components: EntryFinderComponents) {
    this.#components = components
  }

  start(): void {
    this.#stopped ??= new AbortController()
    this.#timer ??= setInterval(() => void this.look(), LOOKUP_INTERVAL).unref()
    void this.look()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#stopped?.abort()
    this.#stopped = undefined
  }

  /** One look-up at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    const { directory, self } = this.#components
    if (this.#stopped == null) return
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(LOOKUP_TIMEOUT)])
    const visits: Array<Promise<void>> = []
    for await (const { id } of directory.providers('entry-point', signal)) {
      const peerId = id.toString()
      if (peerId !== self && !this.#isKnown(peerId)) visits.push(this.#visit(peerId, signal))
      if (visits.length === MAX_FOUND) break
    }
    await Promise.all(visits)
  }

  #isKnown(peerId: string): boolean {
    const { view, now } = this.#components
    const lastSeen = view.peer(peerId)?.lastSeen
    return lastSeen != null && now() - lastSeen < ENTRY_POINT_TTL
  }

  async #visit(peerId: string, signal: AbortSignal): Promise<void> {
    const { directory, log, ping } = this.#components
    try {
      await ping(peerId, signal)
      await directory.fetchAdvert(peerId, signal)
    } catch (err) {
      log.debug({ err, peer: peerId }, 'an entry point that the DHT names does not answer')
    }
  }
}
