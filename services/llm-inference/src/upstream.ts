import { setTimeout as delay } from 'node:timers/promises'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { request } from 'undici'
import type { Config } from './config.ts'

const Models = Type.Object({ data: Type.Array(Type.Object({ id: Type.String({ minLength: 1 }) })) })
export type Model = Static<typeof Models>['data'][number]

export type UpstreamState =
  | { up: true; base: string; models: readonly Model[] }
  /** why requests can't be answered, for people */
  | { up: false; reason: string }

/** Milliseconds for a list of models. */
const LOOK_TIMEOUT = 2000
/** More models than anyone loads, and longer names than anyone gives, are cut off: they go into adverts. */
const MAX_MODELS = 200
const MAX_MODEL_NAME = 200
const MAX_LIST = 4 * 1024 * 1024

export type UpstreamInit = Pick<Config, 'candidates' | 'apiKey' | 'lookEvery'> & {
  onChange(state: UpstreamState): void
}

/** The server with the models: whether it answers, where, and which models it has; looked at again and again. */
export class Upstream {
  readonly #init: UpstreamInit
  readonly #stop = new AbortController()
  #state: UpstreamState = { up: false, reason: 'the upstream has not been asked yet' }
  #looking: Promise<void> | undefined
  #working = 0

  constructor(init: UpstreamInit) {
    this.#init = init
  }

  get state(): UpstreamState {
    return this.#state
  }

  /** Looks once before it returns, then from time to time. */
  async start(): Promise<void> {
    await this.look()
    void this.#keepLooking()
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Looks now; several callers share one look. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** A request begins; the function that is returned is called when it has ended. */
  began(): () => void {
    this.#working++
    let ended = false
    return () => {
      if (!ended) this.#working--
      ended = true
    }
  }

  async #keepLooking(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await delay(this.#init.lookEvery, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined)
      if (!this.#stop.signal.aborted) await this.look()
    }
  }

  async #look(): Promise<void> {
    // the one that answered last first, so that a second server which comes up changes nothing
    const last = this.#state.up ? [this.#state.base] : []
    const reasons: string[] = []
    for (const base of new Set([...last, ...this.#init.candidates])) {
      const answer = await this.#ask(base)
      if (typeof answer !== 'string') return this.#become({ up: true, base, models: answer })
      // a server that computes may be slow to list its models; it is not gone as long as it has work of ours
      if (answer === TOO_SLOW && this.#working > 0 && this.#state.up) return
      reasons.push(`${base}: ${answer}`)
    }
    this.#become({
      up: false,
      reason: `no server with models answers (${reasons.join('; ')}); HEDGEROW_LLM_URL names one`
    })
  }

  #become(state: UpstreamState): void {
    const changed =
      state.up !== this.#state.up || (state.up && this.#state.up && names(state.models) !== names(this.#state.models))
    this.#state = state
    if (changed) this.#init.onChange(state)
  }

  /** The models, or why there are none. */
  async #ask(base: string): Promise<Model[] | string> {
    try {
      const { statusCode, body } = await request(`${base}/models`, {
        headers: authorization(this.#init.apiKey),
        signal: AbortSignal.any([AbortSignal.timeout(LOOK_TIMEOUT), this.#stop.signal])
      })
      if (statusCode !== 200) {
        await body.dump()
        return statusCode === 401 || statusCode === 403 ? 'it refuses the API key' : `it answers ${statusCode}`
      }
      const models = parseModels(await readAtMost(body, MAX_LIST))
      if (models == null) return 'it does not speak the OpenAI API'
      return models.length === 0 ? 'it has no model' : models
    } catch (err) {
      return reasonOf(err)
    }
  }
}

const TOO_SLOW = 'it does not answer in time'

function reasonOf(err: unknown): string {
  if (err instanceof DOMException && err.name === 'TimeoutError') return TOO_SLOW
  const code = err instanceof Error && 'code' in err ? String(err.code) : undefined
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  return code ?? (err instanceof Error ? err.message : String(err))
}

export function authorization(apiKey: string | undefined): Record<string, string> {
  return apiKey == null ? {} : { authorization: `Bearer ${apiKey}` }
}

function parseModels(text: string): Model[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Value.Check(Models, value)) return undefined
  return value.data.filter(({ id }) => id.length <= MAX_MODEL_NAME).slice(0, MAX_MODELS)
}

function names(models: readonly Model[]): string {
  return JSON.stringify(models.map(({ id }) => id))
}

/** @throws when there is more */
export async function readAtMost(body: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > most) throw new Error(`the upstream's answer has more than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
