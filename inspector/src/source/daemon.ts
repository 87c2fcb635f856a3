import { Readable } from 'node:stream'
import { reset } from '@hedgerow/protocols/forward/splice'
import { FORWARD_UPGRADE, HEADERS } from '@hedgerow/protocols/ids'
import { Agent, type Dispatcher } from 'undici'
import { InspectorError, ProblemError } from '../errors.ts'
import { type ApiAnswer, ApiSource, readAnswer } from './api.ts'
import type { Call, CallAnswer, Connection, ConnectRequest, Via } from './index.ts'
import type { Explanation, Shape } from './shapes.ts'
import { type Upgraded, upgrade } from './upgrade.ts'

/** Milliseconds to open a connection. */
const CONNECT_TIMEOUT = 3000
/** Bytes of one answer of the API: thousands of peers take a few MiB. */
const MAX_ANSWER = 64 * 1024 * 1024

/** No answer has it: what comes in the place of an upgrade is a problem. */
const NOTHING: Shape<never> = { Check: (_value): _value is never => false }

/** The mesh as a daemon or relay sees it, asked over HTTP. */
export class DaemonSource extends ApiSource {
  readonly via: Via
  /** other daemons of this machine, which may have seen a request that this one hasn't */
  siblings: string[] = []
  readonly #origin: string
  readonly #prefix: string
  /** headers that every request has */
  readonly #own: Record<string, string>
  readonly #agent: Agent

  /**
   * @param url where it listens; a path is taken as a prefix
   * @param key an API key, where it wants one
   * @throws {InspectorError} Unreachable when nothing answers there, or what answers is no Hedgerow
   */
  static async open(url: string, signal: AbortSignal, key?: string): Promise<DaemonSource> {
    const source = new DaemonSource(url, key)
    try {
      const { worker_id, peer_id } = await source.greeting(signal)
      Object.assign(source.via, { name: worker_id, peer_id })
      return source
    } catch (err) {
      await source.close()
      if (!(err instanceof InspectorError) || err.code === 'Unreachable') throw err
      throw new InspectorError('Unreachable', `${url} answers, but not as a Hedgerow daemon would`, [], { cause: err })
    }
  }

  private constructor(url: string, key?: string) {
    super()
    const { origin, pathname } = new URL(url)
    this.#origin = origin
    // Not as Authorization, which may be for the service.
    this.#own = key == null ? {} : { 'x-api-key': key }
    this.#prefix = pathname.replace(/\/$/, '')
    this.via = { mode: 'daemon', name: '', peer_id: '', url: origin + this.#prefix }
    // How long an operation may take is its own to say, and the daemon watches it.
    this.#agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT }, headersTimeout: 0, bodyTimeout: 0 })
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  protected async get(path: string, signal: AbortSignal): Promise<ApiAnswer> {
    const { statusCode, body } = await this.#request({ method: 'GET', path, signal })
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > MAX_ANSWER) throw new InspectorError('Failed', `${path} answers more than ${MAX_ANSWER} bytes`)
        chunks.push(chunk)
      }
    } catch (err) {
      throw this.#failure(err)
    }
    return { status: statusCode, body: Buffer.concat(chunks) }
  }

  async call({ service, method, path, headers, body }: Call, signal: AbortSignal): Promise<CallAnswer> {
    const target = `/service/${encodeURIComponent(service)}${path === '/' ? '' : path}`
    const answer = await this.#request({
      method,
      path: target,
      headers,
      body: body == null || body instanceof Uint8Array ? body : Readable.from(body, { objectMode: false }),
      signal
    })
    return { status: answer.statusCode, headers: definite(answer.headers), body: this.#whole(answer.body) }
  }

  async connect({ service, worker, dataClass }: ConnectRequest, signal: AbortSignal): Promise<Connection> {
    const target = `/service/${encodeURIComponent(service)}`
    const headers = { ...this.#own }
    if (worker != null) headers[HEADERS.worker] = worker
    if (dataClass != null) headers[HEADERS.dataClass] = dataClass
    let answer: Upgraded
    try {
      const url = new URL(this.#origin + this.#prefix + target)
      answer = await upgrade({ url, protocol: FORWARD_UPGRADE, headers, signal })
    } catch (err) {
      throw this.#failure(err)
    }
    if ('status' in answer) {
      readAnswer(answer, NOTHING, target)
      throw new ProblemError(answer.status, undefined, `${target} answers ${answer.status} and forwards nothing`)
    }
    const { socket, headers: said } = answer
    const onAbort = (): void => reset(socket)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', () => {})
    socket.once('close', () => signal.removeEventListener('abort', onAbort))
    return {
      duplex: socket,
      requestId: said[HEADERS.requestId] ?? null,
      worker: said[HEADERS.worker] ?? null,
      path: said[HEADERS.path] ?? null,
      transport: said[HEADERS.transport] ?? null
    }
  }

  override explain(requestId: string, signal: AbortSignal): Promise<Explanation> {
    return this.#orSiblings(
      () => super.explain(requestId, signal),
      sibling => sibling.explain(requestId, signal)
    )
  }

  override receipts(requestId: string, signal: AbortSignal): Promise<string[]> {
    return this.#orSiblings(
      () => super.receipts(requestId, signal),
      sibling => sibling.receipts(requestId, signal)
    )
  }

  /** Asks the other daemons of this machine where this one has no record of a request. */
  async #orSiblings<T>(ask: () => Promise<T>, askSibling: (sibling: DaemonSource) => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (err) {
      if (!(err instanceof ProblemError) || err.problem !== 'UnknownRequest') throw err
      for (const url of this.siblings) {
        const sibling = new DaemonSource(url)
        try {
          return await askSibling(sibling)
        } catch {
          // What the first one said is the answer, unless another knows better.
        } finally {
          await sibling.close()
        }
      }
      throw err
    }
  }

  async #request(
    options: Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'body' | 'signal'> & {
      headers?: Record<string, string | string[]>
    }
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#agent.request({
        ...options,
        headers: { ...options.headers, ...this.#own },
        origin: this.#origin,
        path: this.#prefix + options.path
      })
    } catch (err) {
      throw this.#failure(err)
    }
  }

  async *#whole(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let size = 0
    try {
      for await (const chunk of body) {
        size += chunk.byteLength
        yield chunk
      }
    } catch (err) {
      if (isAbort(err)) throw err
      throw new InspectorError('Failed', `the answer broke off after ${size} bytes`, [], { cause: err })
    }
  }

  #failure(err: unknown): unknown {
    if (err instanceof InspectorError || isAbort(err)) return err
    const what = `no answer from ${this.via.url} (${reasonOf(err)})`
    return new InspectorError('Unreachable', what, ['name another with --daemon <url>, or start one: `npm start`'], {
      cause: err
    })
  }
}

function isAbort(err: unknown): boolean {
  return err instanceof Error && (err.name === 'AbortError' || err.name === 'TimeoutError')
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed while the request was being sent',
  UND_ERR_CONNECT_TIMEOUT: `no connection within ${CONNECT_TIMEOUT / 1000} s`,
  UND_ERR_SOCKET: 'the connection was closed'
}

/** Why nothing came over HTTP, in words. */
export function reasonOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  const code = 'code' in err ? String(err.code) : ''
  return REASONS[code] ?? (err.message === '' ? code : err.message)
}

function definite(headers: Record<string, string | string[] | undefined>): CallAnswer['headers'] {
  const kept: CallAnswer['headers'] = {}
  for (const [name, value] of Object.entries(headers)) if (value != null) kept[name] = value
  return kept
}
