import type { Level, Logger } from 'pino'
import { KEPT_LINES, LINE_LENGTH, MAX_LINES_PER_SECOND } from './constants.ts'

/** As it writes them, after the time. An error of its own is a warning here: what it means for the peer is said apart. */
const LEVELS: Record<string, Level> = { WRN: 'warn', ERR: 'warn', FTL: 'warn' }

/** What the program writes: the last of it is kept, and so many lines a second go into the log. */
export class Output {
  readonly #log: Logger
  readonly #secret: string | undefined
  readonly #now: () => number
  readonly #kept: string[] = []
  #second = 0
  #logged = 0

  /** @param secret that must not show */
  constructor(log: Logger, secret: string | undefined, now: () => number) {
    this.#log = log
    this.#secret = secret
    this.#now = now
  }

  /** oldest first */
  kept(): readonly string[] {
    return this.#kept
  }

  /** What it wrote before is no news any more. */
  forget(): void {
    this.#kept.length = 0
  }

  add(line: string): void {
    const shown = (this.#secret == null ? line : line.replaceAll(this.#secret, '(token)')).slice(0, LINE_LENGTH)
    // Colours, where it takes this for a terminal, and what else would move a cursor.
    const text = shown.replace(/\p{Cc}(?:\[[\d;]*m)?/gu, '')
    this.#kept.push(text)
    if (this.#kept.length > KEPT_LINES) this.#kept.shift()
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#logged = 0
    }
    if (++this.#logged > MAX_LINES_PER_SECOND) return
    const [, level = ''] = /\b(DBG|INF|WRN|ERR|FTL)\b/.exec(text.slice(0, 40)) ?? []
    this.#log[LEVELS[level] ?? 'debug'](`cloudflared: ${text}`)
  }
}
