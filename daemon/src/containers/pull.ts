import { addAbortSignal, Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { Logger } from 'pino'
import { MAX_LAYERS, MAX_PULL_LINE, PULL_REPORT, PULL_STALL } from './constants.ts'

export interface PullInit {
  docker: Docker
  /** with a tag or digest: without, an engine pulls all tags there are */
  image: string
  log: Logger
  signal: AbortSignal
  now(): number
}

const MEBIBYTE = 1024 * 1024

/** Pulls an image, and says in the log how far it is. @throws when it can't be had, or nothing more comes */
export async function pullImage({ docker, image, log, signal, now }: PullInit): Promise<void> {
  const stalled = new AbortController()
  const until = AbortSignal.any([signal, stalled.signal])
  const watch = (): NodeJS.Timeout =>
    setTimeout(() => stalled.abort(new Error(`nothing came for ${PULL_STALL / 1000} s`)), PULL_STALL)
  let timer = watch()
  const began = now()
  let reported = began
  const progress = new PullProgress()
  log.info({ image }, 'pulling image')
  try {
    const stream = addAbortSignal(until, Readable.from(await docker.pull(image, { abortSignal: until })))
    for await (const line of linesOf(stream)) {
      clearTimeout(timer)
      timer = watch()
      until.throwIfAborted()
      progress.add(line)
      if (now() - reported < PULL_REPORT) continue
      reported = now()
      log.info({ image, ...progress.report() }, 'pulling image')
    }
    until.throwIfAborted()
    log.info({ image, seconds: Math.round((now() - began) / 1000) }, 'image pulled')
  } catch (err) {
    throw until.aborted ? until.reason : err
  } finally {
    clearTimeout(timer)
  }
}

/** Adds up what an engine says of each layer. */
export class PullProgress {
  readonly #layers = new Map<string, { current: number; total: number }>()

  /** @throws when the line is an error */
  add(line: string): void {
    const news = parse(line)
    const { error, id, progressDetail } = news
    if (error != null) throw new Error(typeof error === 'string' ? error : 'the engine gave up')
    if (typeof id !== 'string' || typeof progressDetail !== 'object' || progressDetail == null) return
    const { current, total } = progressDetail as Record<string, unknown>
    if (typeof current !== 'number' || typeof total !== 'number' || !(total > 0)) return
    if (this.#layers.size < MAX_LAYERS || this.#layers.has(id)) this.#layers.set(id, { current, total })
  }

  report(): { layers: number; done_mb: number; of_mb: number } {
    let current = 0
    let total = 0
    for (const layer of this.#layers.values()) {
      current += layer.current
      total += layer.total
    }
    return { layers: this.#layers.size, done_mb: Math.round(current / MEBIBYTE), of_mb: Math.round(total / MEBIBYTE) }
  }
}

function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value != null ? { ...value } : {}
  } catch {
    return {}
  }
}

async function* linesOf(stream: NodeJS.ReadableStream): AsyncIterable<string> {
  let rest = ''
  for await (const chunk of stream) {
    rest += chunk.toString('utf8')
    const lines = rest.split('\n')
    rest = (lines.pop() ?? '').slice(0, MAX_PULL_LINE)
    yield* lines
  }
  yield rest
}
