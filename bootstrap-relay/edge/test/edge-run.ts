import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Headers, Miniflare, type RequestInit } from 'miniflare'

export const TOKEN = 'a-secret-of-this-test-only'
export const AUTH = { authorization: `Bearer ${TOKEN}` }
/** As in `wrangler.jsonc`. */
const COMPATIBILITY_DATE = '2026-07-01'
export const EDGE = 'http://edge.example.net'

export interface RunInit {
  registry?: 'kv' | 'durable' | 'none'
  bindings?: Record<string, string>
  /** the Worker as it is deployed, rather than the one with a clock for tests */
  deployed?: boolean
}

/** The Worker in a real workerd. Stop it with `dispose`. */
export class EdgeRun {
  readonly #miniflare: Miniflare

  private constructor(miniflare: Miniflare) {
    this.#miniflare = miniflare
  }

  static async start({ registry = 'kv', bindings = {}, deployed = false }: RunInit = {}): Promise<EdgeRun> {
    const entry = deployed ? '../src/worker.ts' : './worker/worker.ts'
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
      bundle: true,
      format: 'esm',
      target: 'es2024',
      external: ['cloudflare:*'],
      write: false,
      logLevel: 'error'
    })
    const miniflare = new Miniflare({
      modules: [{ type: 'ESModule', path: 'worker.js', contents: outputFiles[0]?.text ?? '' }],
      compatibilityDate: COMPATIBILITY_DATE,
      ...(registry === 'kv' ? { kvNamespaces: ['SEEDS'] } : {}),
      ...(registry === 'durable'
        ? { durableObjects: { REGISTRY: { className: 'RelayRegistry', useSQLite: true } } }
        : {}),
      bindings: { EDGE_TOKEN: TOKEN, ALLOW_PRIVATE: 'true', ...bindings },
      unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      cf: false,
      port: 0
    })
    await miniflare.ready
    return new EdgeRun(miniflare)
  }

  fetch(path: string, init: RequestInit = {}): ReturnType<Miniflare['dispatchFetch']> {
    const headers = new Headers(init.headers)
    // As every client sends it for a body that it has whole; this one would leave it out.
    if (typeof init.body === 'string') headers.set('content-length', String(Buffer.byteLength(init.body)))
    return this.#miniflare.dispatchFetch(new URL(path, EDGE), { redirect: 'manual', ...init, headers })
  }

  /** The Worker's own port, with nothing of Miniflare's in between. */
  port(): Promise<URL> {
    return this.#miniflare.unsafeGetDirectURL()
  }

  async advance(seconds: number): Promise<void> {
    await this.fetch(`/test/advance?ms=${seconds * 1000}`)
  }

  /**
   * Ends this copy of the Worker: what comes next is answered by one that remembers nothing.
   *
   * @param init.firstByte milliseconds that it waits for a relay; 0 = as it is deployed
   */
  async restart({ firstByte = 0 } = {}): Promise<void> {
    await this.fetch(`/test/restart?first_byte=${firstByte}`)
  }

  async breakKv(broken: boolean): Promise<void> {
    await this.fetch(`/test/kv?broken=${broken}`)
  }

  post(path: string, body: unknown, init: RequestInit = {}): ReturnType<Miniflare['dispatchFetch']> {
    return this.fetch(path, {
      method: 'POST',
      body: JSON.stringify(body),
      ...init,
      headers: { 'content-type': 'application/json', ...AUTH, ...(init.headers as Record<string, string>) }
    })
  }

  async stored(): Promise<unknown> {
    return (await this.#miniflare.getKVNamespace('SEEDS')).get('relays', 'json')
  }

  dispose(): Promise<void> {
    return this.#miniflare.dispose()
  }
}
