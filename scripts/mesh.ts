/**
 * A mesh of separate processes on this machine: what `npm start` shows, and what tests and benchmarks run against.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openClosedMesh } from './closed.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What ships and works with nothing else installed; `llm-inference` needs an upstream. */
export const EMBEDDED_SERVICES = ['ner-extraction', 'document-processing', 'vision-ocr', 'rag-embeddings', 'notes-coa']

export interface MeshInit {
  /** the relay's; the workers take the next ones. 0 = any free ports */
  httpPort: number
  workers: number
  /** each peer keeps its state in a folder below */
  dataDir: string
  /**
   * members only: an authority is made in `mesh` below `dataDir`, and signs a credential for each peer but those that are
   * given an invite or a credential in `envOf`. @default false
   */
  closed?: boolean
  /** further environment of every peer, or of one by name */
  env?: Record<string, string>
  envOf?: Record<string, Record<string, string>>
  /** multiaddrs that workers listen on. @default TCP on the host's address */
  listen?: string[]
  /** where each peer runs, other than on this host; asked by the peer's name */
  hostOf?(name: string): MeshHost | undefined
  /** services that `ready` waits for, each on as many workers as it wants and can get */
  services?: string[]
  /** write each peer's log into its data directory instead of stderr. @default false */
  logToFile?: boolean
  onPeer?(peer: PeerProcess): void
  onExit?(name: string, how: string): void
}

/** A host of its own within this machine, such as a network namespace. */
export interface MeshHost {
  /** put before a command, runs it there */
  exec: string[]
  /** where it is reached from here and by the others */
  address: string
}

export interface PeerProcess {
  name: string
  role: 'relay' | 'worker'
  peerId: string
  pid: number
  url: string
  child: ChildProcess
}

export interface Mesh {
  relay: PeerProcess
  workers: PeerProcess[]
  /** resolves when every service is offered to the relay by two workers (one, if there is only one) */
  ready(signal: AbortSignal): Promise<void>
  /** one more worker, or one that was stopped, again; `relays` are all it is told. @default the first relay */
  startWorker(name: string, port?: number, ...relays: PeerProcess[]): Promise<PeerProcess>
  /**
   * the relay that was killed, again, at the same port; or one with another name
   *
   * @param relays all it is told. @default the first relay; nothing, when it is that
   */
  startRelay(port: number, name?: string, ...relays: PeerProcess[]): Promise<PeerProcess>
  /**
   * what HEDGEROW_INVITE is set to, so that one more machine joins this closed mesh; undefined when it is open
   *
   * @param issuer a relay, which redeems it. @default the first
   */
  invite(issuer?: PeerProcess): Promise<string | undefined>
  stop(): Promise<void>
  /** ends all of it at once; what the peers started ends by itself when they are gone */
  kill(): void
}

/** What a closed mesh is called when nothing says so. */
const MESH_NAME = 'hedgerow'
/** What is meant for a peer of another mesh, in the environment of whoever starts this one. */
const OF_ANOTHER_MESH = { HEDGEROW_MESH: '', HEDGEROW_INVITE: '', HEDGEROW_CREDENTIAL: '' }
/** How the internet gets to the relay is nothing that workers share. */
const OF_RELAYS_ONLY = { HEDGEROW_URL: '', HEDGEROW_TUNNEL: '', HEDGEROW_TUNNEL_PORT: '' }
/** A peer's programs; the pinned Node runs the sources as they are. */
const PROGRAMS = { relay: join(root, 'bootstrap-relay/src/main.ts'), worker: join(root, 'daemon/src/main.ts') }
const START_TIMEOUT = 30_000
/** More than a peer takes to drain and to stop. */
const STOP_TIMEOUT = 55_000
const POLL = 100

/** @throws {Error} when a port is taken, or a peer does not come up */
export async function startMesh(init: MeshInit): Promise<Mesh> {
  const port = (i: number): number => (init.httpPort === 0 ? 0 : init.httpPort + i)
  const ports = await Promise.all(Array.from({ length: init.workers + 1 }, (_, i) => usable(port(i))))
  const closed =
    init.closed === true
      ? await openClosedMesh(join(init.dataDir, 'mesh'), process.env.HEDGEROW_MESH || MESH_NAME)
      : undefined
  const started: PeerProcess[] = []
  let stopping = false

  const launch = async (
    name: string,
    role: 'relay' | 'worker',
    httpPort: number,
    relay?: string
  ): Promise<PeerProcess> => {
    const dataDir = join(init.dataDir, name)
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const given = init.envOf?.[name]
    if (given?.HEDGEROW_INVITE == null && given?.HEDGEROW_CREDENTIAL == null) await closed?.admit(dataDir, role)
    const log = init.logToFile === true ? await open(join(dataDir, 'log'), 'a') : undefined
    const host = init.hostOf?.(name)
    const address = host?.address ?? '127.0.0.1'
    const [command = '', ...args] = [
      ...(host?.exec ?? []),
      process.execPath,
      '--conditions=hedgerow-source',
      '--disable-warning=ExperimentalWarning',
      PROGRAMS[role]
    ]
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['pipe', 'ignore', log?.fd ?? 'inherit'],
      // Ctrl-C reaches the whole process group; the peers are told to stop in order, by us.
      detached: true,
      env: {
        ...process.env,
        LOG_LEVEL: process.env.LOG_LEVEL ?? (init.logToFile === true ? 'info' : 'warn'),
        // The sources are stripped of their types once, not once a process.
        NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node-compile'),
        HEDGEROW_LISTEN: ((role === 'worker' && init.listen) || [`/ip4/${address}/tcp/0`]).join(','),
        HEDGEROW_MDNS: 'false',
        HEDGEROW_HTTP_HOST: address,
        ...(closed == null ? {} : OF_ANOTHER_MESH),
        ...(role === 'worker' ? OF_RELAYS_ONLY : {}),
        // Whoever else is on such a host was put there by the same test.
        ...(host == null ? {} : { HEDGEROW_HTTP_OPEN: 'true' }),
        ...init.env,
        ...given,
        HEDGEROW_PARENT: 'stdin',
        HEDGEROW_NAME: name,
        HEDGEROW_DATA_DIR: dataDir,
        HEDGEROW_HTTP_PORT: String(httpPort),
        HEDGEROW_RELAY: relay ?? ''
      }
    })
    await log?.close()
    child.stdin?.on('error', () => {})
    child.once('exit', (code, signal) => {
      if (!stopping) init.onExit?.(name, signal ?? `exit code ${code}`)
    })
    const url = `http://${address}:${httpPort}`
    const { peer_id } = await comesUp(child, name, url)
    const peer: PeerProcess = { name, role, peerId: peer_id, pid: child.pid ?? 0, url, child }
    started.push(peer)
    return peer
  }

  const stop = async (): Promise<void> => {
    stopping = true
    await Promise.all(started.map(({ child }) => end(child)))
  }

  try {
    const told = (peer: PeerProcess): PeerProcess => {
      init.onPeer?.(peer)
      return peer
    }
    const relay = told(await launch('relay', 'relay', ports[0] ?? 0))
    const urlsOf = (relays: PeerProcess[]): string => relays.map(({ url }) => url).join(',')
    const startWorker = async (name: string, httpPort = 0, ...relays: PeerProcess[]): Promise<PeerProcess> =>
      told(await launch(name, 'worker', await usable(httpPort), urlsOf(relays) || relay.url))
    const workers = await Promise.all(
      ports.slice(1).map((httpPort, i) => launch(`worker-${i + 1}`, 'worker', httpPort, relay.url))
    )
    for (const worker of workers) told(worker)
    const startRelay = async (httpPort: number, name = relay.name, ...relays: PeerProcess[]): Promise<PeerProcess> => {
      const via = urlsOf(relays) || (name === relay.name ? undefined : relay.url)
      return told(await launch(name, 'relay', await usable(httpPort), via))
    }
    return {
      relay,
      workers,
      startWorker,
      startRelay,
      invite: async (issuer = relay) => closed?.invite(issuer),
      stop,
      kill() {
        stopping = true
        for (const { child } of started) child.kill('SIGKILL')
      },
      ready: signal =>
        servicesReady(
          [relay, ...workers].map(({ url }) => url),
          init,
          signal
        )
    }
  } catch (err) {
    await stop()
    throw err
  }
}

/** A port that is free now. @throws {Error} when the wanted one isn't */
async function usable(port: number): Promise<number> {
  const probe = createServer()
  try {
    const listening = once(probe, 'listening')
    probe.listen(port, '127.0.0.1')
    await listening
  } catch {
    throw new Error(
      `HEDGEROW_HTTP_PORT: port ${port} is in use; end what listens there, or name another port (the workers take the next ones)`
    )
  }
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address != null ? address.port : port
}

interface Health {
  peer_id: string
  /** told to this host only */
  pid?: number
  /** null until it knows which it joins */
  mesh: string | null
}

async function comesUp(child: ChildProcess, name: string, url: string): Promise<Health> {
  const signal = AbortSignal.timeout(START_TIMEOUT)
  while (!signal.aborted) {
    if (child.exitCode != null || child.signalCode != null)
      throw new Error(`${name} ended before it was up; its lines above say why`)
    const health = await getJson<Health>(`${url}/health`)
    if (health?.mesh != null && (health.pid ?? child.pid) === child.pid) return health
    await sleep(POLL)
  }
  throw new Error(`${name} does not answer at ${url}`)
}

async function servicesReady(
  urls: string[],
  { services = EMBEDDED_SERVICES, workers }: MeshInit,
  signal: AbortSignal
): Promise<void> {
  const [relay = ''] = urls
  let missing = services
  while (!signal.aborted) {
    const answer = await getJson<{ services: Array<{ name: string; wanted: number; healthy: number }> }>(
      `${relay}/api/services`
    )
    const rows = answer?.services ?? []
    missing = services.filter(name => {
      const row = rows.find(one => one.name === name)
      return row == null || row.healthy < Math.min(workers, Math.max(1, row.wanted))
    })
    if (missing.length === 0 && (await allHealthy(urls))) return
    await sleep(POLL)
  }
  throw new Error(`no worker offers ${missing.join(', ')}`)
}

async function allHealthy(urls: string[]): Promise<boolean> {
  const answers = await Promise.all(urls.map(url => getJson<{ status: string }>(`${url}/health`)))
  return answers.every(answer => answer?.status === 'healthy')
}

async function getJson<T>(url: string): Promise<T | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
    return (await response.json()) as T
  } catch {
    return undefined
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode != null || child.signalCode != null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT)
  await exited
  clearTimeout(late)
}
