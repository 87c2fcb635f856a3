/**
 * Versions order the writes of all instances: a hybrid logical clock (Kulkarni et al. 2014). A version is later than
 * every version that its writer had seen, close to the time of day where clocks agree, and distinct by its writer. As
 * text it sorts as it counts: 12 hex digits of milliseconds, 4 of a counter, the writer's peer id.
 */
export type Version = string

const PATTERN = /^([0-9a-f]{12})([0-9a-f]{4})-([A-Za-z0-9]{1,128})$/
/** What a JSON schema can check of it */
export const VERSION_PATTERN = PATTERN.source

const COUNTER_END = 0x10000

export class Clock {
  readonly #writer: string
  readonly #now: () => number
  #milliseconds = 0
  #counter = 0

  constructor(writer: string, now: () => number = Date.now) {
    this.#writer = writer
    this.#now = now
  }

  /** A version later than all that were made or {@link observe}d here. */
  next(): Version {
    const now = this.#now()
    if (now > this.#milliseconds) {
      this.#milliseconds = now
      this.#counter = 0
    } else if (++this.#counter === COUNTER_END) {
      this.#milliseconds++
      this.#counter = 0
    }
    return `${hex(this.#milliseconds, 12)}${hex(this.#counter, 4)}-${this.#writer}`
  }

  observe(version: Version): void {
    const milliseconds = timeOf(version)
    const counter = Number.parseInt(version.slice(12, 16), 16)
    if (milliseconds < this.#milliseconds) return
    this.#counter = milliseconds > this.#milliseconds ? counter : Math.max(this.#counter, counter)
    this.#milliseconds = milliseconds
  }
}

/** Milliseconds since 1970 by the writer's clock, or by a faster one that the writer had heard of. */
export function timeOf(version: Version): number {
  return Number.parseInt(version.slice(0, 12), 16)
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
