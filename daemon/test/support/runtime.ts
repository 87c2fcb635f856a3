import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { matchOperation } from '@hedgerow/protocols/contract'
import type { Body, Headers } from '@hedgerow/protocols/invocation'
import { type Logger, pino } from 'pino'
import { type Clock, systemClock } from '../../src/clock/index.ts'
import type { ContainerEngine } from '../../src/containers/index.ts'
import { formatManifestError, parseManifest, type ServiceManifest } from '../../src/manifest/index.ts'
import {
  createReaper,
  createServiceInstance,
  type Reaper,
  type ServiceAnswer,
  type ServiceInstance
} from '../../src/runtime/index.ts'

export const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url))

export interface HostInit {
  /** of the fixture; see there */
  mode?: string
  env?: Record<string, string>
  /** laid over the manifest */
  manifest?: Record<string, unknown>
  /** @default the system's */
  clock?: Clock
}

export interface Call {
  path: string
  method?: string
  headers?: Headers
  stamp?: Headers
  body?: Body
  signal?: AbortSignal
  timeout?: number
}

/** Starts service instances for a test, and ends them and all that they started. */
export class TestRuntime {
  readonly #containers: ContainerEngine | undefined
  readonly folder: string = mkdtempSync(join(tmpdir(), 'hedgerow-runtime-'))
  readonly lines: Array<Record<string, unknown>> = []
  readonly #log = pino(
    { level: 'trace' },
    new Writable({ write: (chunk, _encoding, done) => this.#record(chunk, done) })
  )
  readonly #reaper: Reaper = createReaper(this.#log)
  readonly #instances: ServiceInstance[] = []

  /** @param containers runs backends that are containers; with what it says going where this runtime's log goes */
  constructor(containers?: (log: Logger) => ContainerEngine) {
    this.#containers = containers?.(this.#log)
  }

  host(init: HostInit = {}): ServiceInstance {
    const instance = createServiceInstance({
      manifest: manifestOf(init, this.traceFile),
      clock: init.clock ?? systemClock,
      random: Math.random,
      log: this.#log,
      reaper: this.#reaper,
      stopGrace: 1000,
      ...(this.#containers == null ? {} : { containers: this.#containers }),
      environment: {
        peerId: '12D3KooWTest',
        meshUrl: 'http://127.0.0.1:1',
        serviceContext: service => `context-of-${service}`,
        stateDir: join(this.folder, 'state')
      }
    })
    this.#instances.push(instance)
    instance.start()
    return instance
  }

  get traceFile(): string {
    return join(this.folder, 'trace')
  }

  /** what fixtures said with `trace` */
  trace(): string {
    try {
      return readFileSync(this.traceFile, 'utf8')
    } catch {
      return ''
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#instances.map(instance => instance.stop()))
    this.#reaper.stop()
    this.#containers?.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #record(chunk: unknown, done: () => void): void {
    for (const line of String(chunk).split('\n')) if (line !== '') this.lines.push(JSON.parse(line))
    done()
  }
}

export function manifestOf({ mode, env, manifest = {} }: HostInit, trace: string): ServiceManifest {
  const document = {
    name: 'fixture',
    version: '1.0.0',
    title: 'A backend for tests',
    backend: {
      process: { command: ['node', 'backend.mjs'], env: { MODE: mode ?? '', TRACE: trace, ...env } }
    },
    health: { interval_s: 0.2, timeout_s: 0.4, start_s: 10 },
    timeouts: { first_byte_s: 10, between_chunks_s: 10 },
    admission: { concurrency: 8, queue: 8 },
    operations: [
      { method: 'POST', path: '/echo', main: true, idempotent: true },
      { method: '*', path: '/*' }
    ],
    ...manifest
  }
  const parsed = parseManifest(JSON.stringify(document), { file: 'fixture.yaml', folder: FIXTURES, env: {} })
  if (Array.isArray(parsed)) throw new Error(parsed.map(formatManifestError).join('\n'))
  return parsed
}

/** Waits for a state, looking often; fails loudly when it doesn't come. */
export async function until(what: string, condition: () => boolean, limit = 15_000): Promise<void> {
  const end = Date.now() + limit
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

export async function healthy(instance: ServiceInstance): Promise<ServiceInstance> {
  await until('the backend is healthy', () => instance.state === 'healthy')
  return instance
}

export function call(
  instance: ServiceInstance,
  { path, method = 'GET', headers = {}, body = null, ...rest }: Call
): Promise<ServiceAnswer> {
  const match = matchOperation(instance.manifest.contract, method, path)
  if (match == null) throw new Error(`no operation for ${method} ${path}`)
  const { signal = new AbortController().signal, timeout, stamp } = rest
  return instance.invoke(
    { operation: match.operation, path: match.path, method, headers, body, ...(stamp == null ? {} : { stamp }) },
    { signal, ...(timeout == null ? {} : { timeout }) }
  )
}

export async function text(answer: ServiceAnswer): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

export async function json(answer: ServiceAnswer): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(await text(answer))
  if (typeof value !== 'object' || value == null) throw new Error('the answer is no object')
  return { ...value }
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie answers, too; it has ended all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
