/**
 * What the tests of whole meshes share: a mesh of real processes in a temporary folder, with the `lab` service beside
 * those that ship, and ways to wait for a state.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Explanation } from '@hedgerow/protocols/dispatch'
import { type Mesh, type MeshInit, startMesh } from '@hedgerow/scripts/mesh'

export const LAB = fileURLToPath(new URL('../fixtures', import.meta.url))

export interface TestMesh extends Mesh {
  dataDir: string
}

/** A mesh that runs the lab only, unless `services` says otherwise. */
export async function testMesh(init: Partial<MeshInit> = {}): Promise<TestMesh> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-test-'))
  const services = init.services ?? ['lab']
  const mesh = await startMesh({
    httpPort: 0,
    workers: 3,
    dataDir,
    logToFile: true,
    ...init,
    services,
    env: {
      LOG_LEVEL: 'info',
      HEDGEROW_SERVICES_DIR: LAB,
      HEDGEROW_SERVICES: services.join(','),
      HEDGEROW_FORBID_SERVICES: '*',
      ...init.env
    }
  })
  const stop = async (): Promise<void> => {
    await mesh.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    await mesh.ready(AbortSignal.timeout(60_000))
  } catch (err) {
    await stop()
    throw err
  }
  return { ...mesh, stop, dataDir }
}

/** Asks again until the answer is there. @throws with the last thing it saw */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, timeout = 20_000): Promise<T> {
  const end = performance.now() + timeout
  let last: unknown
  while (performance.now() < end) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
      last = answer
    } catch (err) {
      last = err
    }
    await sleep(50)
  }
  throw new Error(`${what}: not after ${timeout} ms (last: ${last instanceof Error ? last.message : String(last)})`)
}

export async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}

export function postJson(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
  init: RequestInit = {}
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init
  })
}

export async function explain(url: string, response: Response): Promise<Explanation> {
  return getJson(`${url}/explain/${response.headers.get('hedgerow-request-id')}`)
}

/** Resident memory of a process, in bytes. */
export async function memoryOf(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises')
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
}
