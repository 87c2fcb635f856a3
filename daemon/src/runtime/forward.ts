import type { Level, Logger } from 'pino'
import { KEPT_LINE_LENGTH, KEPT_LINES, MAX_LINES_PER_SECOND } from './constants.ts'

const PINO_LEVELS: Record<number, Level> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal'
}
/** As Python, Go and Rust write them. */
const NAMED_LEVELS: Record<string, Level> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  notice: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
  fatal: 'fatal',
  panic: 'fatal'
}
/** What our own log says of each line already. */
const OUR_FIELDS = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'message', 'service'])

/** Puts a backend's lines into our log, so many in a second, and keeps the last of stderr. */
export class LogForwarder {
  readonly #log: Logger
  readonly #now: () => number
  readonly #kept: string[] = []
  #second = 0
  #logged = 0
  #dropped = 0

  constructor(log: Logger, now: () => number) {
    this.#log = log
    this.#now = now
  }

  stdout(line: string): void {
    this.#forward(line)
  }

  stderr(line: string): void {
    this.#kept.push(line.length > KEPT_LINE_LENGTH ? `${line.slice(0, KEPT_LINE_LENGTH)}...` : line)
    if (this.#kept.length > KEPT_LINES) this.#kept.shift()
    this.#forward(line)
  }

  /** the last lines of stderr */
  kept(): string[] {
    return [...this.#kept]
  }

  #forward(line: string): void {
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#second) {
      if (this.#dropped > 0) this.#log.warn({ dropped: this.#dropped }, 'backend wrote more than is logged')
      this.#second = second
      this.#logged = 0
      this.#dropped = 0
    }
    if (++this.#logged > MAX_LINES_PER_SECOND) {
      this.#dropped++
      return
    }
    const { level, message, fields } = parseLine(line)
    this.#log[level](fields == null ? {} : { backend: fields }, message)
  }
}

export interface LogLine {
  level: Level
  message: string
  fields?: Record<string, unknown>
}

/** A line as a program wrote it: JSON with a level, text with one, or just text. */
export function parseLine(line: string): LogLine {
  const object = line.startsWith('{') ? parseObject(line) : undefined
  if (object == null) {
    const [, name] = /^\W{0,3}([A-Za-z]{4,8})\b/.exec(line) ?? []
    return { level: levelOf(name) ?? 'info', message: line }
  }
  const text = object.msg ?? object.message
  const fields = Object.fromEntries(Object.entries(object).filter(([name]) => !OUR_FIELDS.has(name)))
  return {
    level: levelOf(object.level) ?? 'info',
    message: typeof text === 'string' ? text : line,
    ...(typeof text === 'string' && Object.keys(fields).length > 0 ? { fields } : {})
  }
}

function levelOf(value: unknown): Level | undefined {
  if (typeof value === 'number') return PINO_LEVELS[Math.min(60, Math.max(10, Math.floor(value / 10) * 10))]
  if (typeof value !== 'string') return undefined
  const name = value.toLowerCase()
  return Object.hasOwn(NAMED_LEVELS, name) ? NAMED_LEVELS[name] : undefined
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value != null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
