/**
 * What the mesh is measured beside: the same backend, reached in the ways that a user would pick instead.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMesh } from '@hedgerow/scripts/mesh'
import { ensureProgram, freePort, Processes } from './processes.ts'

export interface Contestant {
  name: string
  /** where a POST is answered */
  url: string
}

export interface Contest {
  contestants: Contestant[]
  /** programs that could not be had, each with what is therefore missing */
  skipped: string[]
  stop(): Promise<void>
}

export async function startContest(): Promise<Contest> {
  const dir = await mkdtemp(join(tmpdir(), 'hedgerow-bench-'))
  const processes = new Processes()
  const skipped: string[] = []
  const contestants: Contestant[] = []
  const ends: Array<() => Promise<void>> = [() => processes.stop()]
  const stop = async (): Promise<void> => {
    for (const end of ends.reverse()) await end()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    const backend = await processes.node('backend.ts')
    contestants.push({ name: 'backend, directly', url: backend })
    if (ensureProgram('nginx', 'nginx-light'))
      contestants.push({ name: 'two nginx hops', url: await twoNginx(processes, dir, backend) })
    else skipped.push('nginx is not to be had: no figures for two nginx hops')
    const inner = await processes.node('node-proxy.ts', { TARGET: backend })
    contestants.push({ name: 'two Node proxies', url: await processes.node('node-proxy.ts', { TARGET: inner }) })
    const mesh = await benchMesh(dir, backend)
    ends.push(mesh.stop)
    contestants.push({ name: 'the mesh (relay → worker)', url: mesh.relay })
    contestants.push({ name: 'the mesh (at the worker)', url: mesh.worker })
    return { contestants, skipped, stop }
  } catch (err) {
    await stop()
    throw err
  }
}

async function twoNginx(processes: Processes, dir: string, backend: string): Promise<string> {
  const hop = async (name: string, target: string): Promise<string> => {
    const port = await freePort()
    const prefix = join(dir, name)
    await mkdir(prefix, { recursive: true })
    await writeFile(
      join(prefix, 'nginx.conf'),
      `daemon off; worker_processes 1; pid ${prefix}/pid; error_log ${prefix}/error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path ${prefix}/body; proxy_temp_path ${prefix}/proxy; fastcgi_temp_path ${prefix}/f; uwsgi_temp_path ${prefix}/u; scgi_temp_path ${prefix}/s;
  upstream next { server ${new URL(target).host}; keepalive 64; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://next; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`
    )
    return processes.program('nginx', ['-p', prefix, '-c', join(prefix, 'nginx.conf')], `http://127.0.0.1:${port}`)
  }
  return hop('outer', await hop('inner', backend))
}

/** One relay and one worker with everything switched on, the log included. */
async function benchMesh(
  dir: string,
  backend: string
): Promise<{ relay: string; worker: string; stop(): Promise<void> }> {
  const services = join(dir, 'services')
  await mkdir(services, { recursive: true })
  await writeFile(
    join(services, 'bench.yaml'),
    `name: bench
version: 1.0.0
title: Answers what it is sent
tier: cpu
replicas: 1
backend: { url: "${backend}" }
admission: { concurrency: 64, queue: 256 }
operations:
  - { method: POST, path: /echo, main: true, idempotent: true }
`
  )
  const mesh = await startMesh({
    httpPort: 0,
    workers: 1,
    dataDir: join(dir, 'mesh'),
    logToFile: true,
    services: ['bench'],
    env: {
      LOG_LEVEL: 'info',
      HEDGEROW_SERVICES_DIR: services,
      HEDGEROW_SERVICES: 'bench',
      HEDGEROW_FORBID_SERVICES: '*'
    }
  })
  await mesh.ready(AbortSignal.timeout(60_000))
  return { relay: `${mesh.relay.url}/service/bench`, worker: `${mesh.workers[0]?.url}/service/bench`, stop: mesh.stop }
}
