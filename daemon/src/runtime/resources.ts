import { MAX_RESOURCES } from '@hedgerow/protocols/advert'
import type { Logger } from 'pino'
import type { Clock } from '../clock/index.ts'
import { MAX_RESOURCE_LENGTH, MAX_RESOURCES_BODY, RESOURCES_TIMEOUT } from './constants.ts'
import { fetchText } from './fetch.ts'
import type { HttpTarget } from './index.ts'

const RESOURCE = new RegExp(`^[\\x21-\\x7e]{1,${MAX_RESOURCE_LENGTH}}$`)

export interface ResourceWatcherInit {
  path: string
  /** milliseconds between two looks */
  interval: number
  clock: Clock
  log: Logger
  /** called when the list has changed, and when it becomes known */
  onChange(): void
}

/** Asks a backend now and then what it has loaded or holds. */
export class ResourceWatcher {
  readonly #init: ResourceWatcherInit
  #known: readonly string[] | undefined
  #timer: unknown
  #watch = 0
  #failing = false

  constructor(init: ResourceWatcherInit) {
    this.#init = init
  }

  /** sorted; undefined until the first answer */
  get known(): readonly string[] | undefined {
    return this.#known
  }

  start(target: HttpTarget): void {
    this.stop()
    void this.#look(target, this.#watch)
  }

  /** What was known belongs to a backend that has gone. */
  stop(): void {
    this.#init.clock.clearTimeout(this.#timer)
    this.#watch++
    this.#known = undefined
  }

  async #look(target: HttpTarget, watch: number): Promise<void> {
    const { path, interval, clock } = this.#init
    const found = await this.#ask(target, path)
    if (watch !== this.#watch) return
    this.#timer = clock.setTimeout(() => void this.#look(target, watch), interval)
    if (found == null || (this.#known != null && sameList(found, this.#known))) return
    this.#known = found
    this.#init.onChange()
  }

  /** @returns undefined when there is no answer that can be used; what was known holds on then */
  async #ask(target: HttpTarget, path: string): Promise<string[] | undefined> {
    try {
      const { status, text, complete } = await fetchText(target, path, {
        timeout: RESOURCES_TIMEOUT,
        maxBytes: MAX_RESOURCES_BODY
      })
      if (status !== 200) return this.#complain(`${path} answered ${status}`)
      if (!complete) return this.#complain(`${path} answered more than ${MAX_RESOURCES_BODY} bytes`)
      const { resources, refused } = readResources(JSON.parse(text))
      if (refused > 0) this.#complain(`${refused} of the resources are no printable texts, too long, or too many`)
      else this.#failing = false
      return resources
    } catch (err) {
      return this.#complain(`${path} failed: ${err instanceof Error ? err.message : err}`)
    }
  }

  /** Once, not every two seconds. */
  #complain(reason: string): undefined {
    if (!this.#failing) this.#init.log.warn({ reason }, 'resources unknown')
    this.#failing = true
  }
}

/** @throws when it isn't a list of resources at all */
export function readResources(body: unknown): { resources: string[]; refused: number } {
  const list = typeof body === 'object' && body != null && 'resources' in body ? body.resources : undefined
  if (!Array.isArray(list)) throw new Error('the answer is not {"resources": [...]}')
  const usable = new Set(list.filter(one => typeof one === 'string' && RESOURCE.test(one)))
  const resources = [...usable].sort().slice(0, MAX_RESOURCES)
  const distinct = new Set(list).size
  return { resources, refused: distinct - resources.length }
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i])
