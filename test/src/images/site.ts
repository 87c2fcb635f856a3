/**
 * A closed mesh of containers as `docker/compose.mesh.yaml` makes it, but with each peer in a bridge network of its own and
 * nothing open between them except the relay's one port.
 */
import { randomBytes } from 'node:crypto'
import { freePort } from '@hedgerow/daemon/startup'
import type { Engine } from './engine.ts'
import { type Bridge, fence, makeBridge } from './networks.ts'

export const IMAGES = { daemon: 'localhost/hedgerow-daemon', relay: 'localhost/hedgerow-relay' } as const

/** As the compose files run them; and what runc needs where it may not raise limits, and podman where there is no systemd. */
export const RUN = [
  ...[
    '--read-only',
    '--tmpfs',
    '/tmp:rw,size=64m,mode=1777',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges'
  ],
  ...['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096', '--no-healthcheck']
]
/** Seconds, as in the compose files: more than a peer takes to drain and to stop. */
export const GRACE = '60'

export interface Site {
  /** the relay's, from anywhere */
  url: string
  relay: string
  /** names of containers */
  workers: string[]
  /** of a program that may do everything and as often as it likes */
  key: string
  /** none runs until it is started. @param env by default the invite, and no more */
  startWorker(i: number, env?: Record<string, string>): Promise<void>
  /** runs JavaScript in a container; what it returns comes back */
  evaluate<T>(container: string, code: string): Promise<T>
  addressOf(container: string): Promise<string>
  stop(): Promise<void>
}

const WORKERS = 2

export async function startSite(engine: Engine): Promise<Site> {
  const { podman } = engine
  const tag = `hg${randomBytes(3).toString('hex')}`
  const [relay, ...workers] = ['relay', ...Array.from({ length: WORKERS }, (_, i) => `worker-${i + 1}`)].map(
    name => `${tag}-${name}`
  )
  if (relay == null) throw new Error('a site has a relay')
  const bridges: Bridge[] = []
  let unfence = (): void => {}
  const stop = async (): Promise<void> => {
    await podman('rm', '--force', '--time', '0', '--ignore', relay, ...workers)
    unfence()
    for (const { name } of bridges) await podman('network', 'rm', '--force', name)
    const volumes = [relay, `${tag}-authority`, `${tag}-handover`, ...workers]
    for (const volume of volumes) await podman('volume', 'rm', '--force', volume)
  }
  const evaluate = async <T>(container: string, code: string): Promise<T> => {
    const script = `console.log(JSON.stringify(await (async () => { ${code} })()) ?? 'null')`
    return JSON.parse(await podman('exec', container, 'node', '--input-type=module', '--eval', script)) as T
  }
  try {
    for (const name of [relay, ...workers]) bridges.push(await makeBridge(engine, name))
    // Not 8080 on this machine, which may be in use; within the container it is.
    const url = `http://${bridges[0]?.gateway}:${await freePort()}`
    unfence = fence(tag, bridges, 8080)
    const handover = ['--volume', `${tag}-handover:/handover`]
    const setup = ['--volume', `${relay}:/data`, '--volume', `${tag}-authority:/authority`, ...handover]
    const makeMesh = ['node', '/app/docker/image/closed-mesh.mjs', '/authority', '/handover/invite', url]
    await podman('run', '--rm', ...RUN, '--network', 'none', ...setup, IMAGES.relay, ...makeMesh)
    const invite = await podman('run', '--rm', ...RUN, ...handover, IMAGES.relay, 'cat', '/handover/invite')
    const published = ['--network', relay, '--publish', `${new URL(url).host}:8080`, '--volume', `${relay}:/data`]
    const settings = { HEDGEROW_HTTP_HOST: '0.0.0.0', HEDGEROW_URL: url, HEDGEROW_ADDRESS_RATE: '10000' }
    await podman('run', '--detach', '--name', relay, ...RUN, ...published, ...envOf(settings), IMAGES.relay)
    const created = await podman(
      'exec',
      relay,
      'hedgerow',
      'key',
      'create',
      'test',
      '--rights',
      'admin',
      '--rate',
      '10000'
    )
    const key = /hk_[\w-]+/.exec(created)?.[0] ?? ''
    const startWorker = async (i: number, env: Record<string, string> = { HEDGEROW_INVITE: invite }): Promise<void> => {
      const name = workers[i] ?? ''
      const at = ['--network', name, '--volume', `${name}:/data`]
      await podman('run', '--detach', '--name', name, ...RUN, ...at, ...envOf(env), IMAGES.daemon)
    }
    return {
      ...{ url, relay, workers, key, startWorker, evaluate, stop },
      addressOf: container =>
        podman('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', container)
    }
  } catch (err) {
    await stop()
    throw err
  }
}

function envOf(env: Record<string, string>): string[] {
  return Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
}
