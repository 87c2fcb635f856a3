import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { FIXTURES } from './runtime.ts'

/** The fixtures' servers with the Node that runs the tests, a shell, and nothing else. */
export const IMAGE = 'localhost/hedgerow-fixture:1'

const TOOLS = ['podman', 'runc', 'iptables']
const PACKAGES = ['podman', 'runc', 'netavark', 'aardvark-dns', 'iptables']

/** Why containers can't be run here; undefined where they can. Installs what is missing where that is possible. */
export function whyNoPodman(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it takes Linux and root'
  const missing = (): string[] => TOOLS.filter(tool => spawnSync(tool, ['--version']).error != null)
  if (missing().length > 0 || !existsSync('/usr/lib/podman/netavark')) {
    const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...PACKAGES], options)
  }
  const left = missing()
  return left.length === 0 ? undefined : `there is no ${left.join(', ')}`
}

/** Podman's service, which speaks Docker's API, with images, containers, networks and locks of its own. */
export class Podman {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'hedgerow-podman-'))
  readonly socket: string = join(this.folder, 'engine.sock')
  #service: ReturnType<typeof spawn> | undefined

  async start(): Promise<void> {
    const at = (name: string): string => join(this.folder, name)
    writeFileSync(
      at('storage.conf'),
      `[storage]\ndriver = "overlay"\ngraphroot = "${at('root')}"\nrunroot = "${at('run')}"\n`
    )
    const subnet = `10.${randomInt(100, 200)}.${randomInt(0, 256)}.0/24`
    writeFileSync(
      at('containers.conf'),
      // The limits are for kernels where raising them is not allowed.
      `[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
lock_type = "file"
tmp_dir = "${at('tmp')}"
[network]
network_backend = "netavark"
network_config_dir = "${at('networks')}"
default_network = "hedgerow${randomInt(1e6)}"
default_subnet = "${subnet}"
`
    )
    writeFileSync(at('registries.conf'), '')
    await this.startService()
    this.#importImage()
  }

  /** Idempotent. */
  async startService(): Promise<void> {
    if (existsSync(this.socket)) return
    const service = spawn('podman', ['system', 'service', '--time=0', `unix://${this.socket}`], {
      env: this.#env(),
      stdio: 'ignore'
    })
    this.#service = service
    for (let tries = 0; !existsSync(this.socket); tries++) {
      if (tries > 500 || service.exitCode != null) throw new Error('podman does not start')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** Containers run on. */
  async stopService(): Promise<void> {
    const service = this.#service
    if (service == null || service.exitCode != null || service.signalCode != null) return
    service.kill('SIGKILL')
    await once(service, 'exit')
    rmSync(this.socket, { force: true })
  }

  run(...args: string[]): string {
    return execFileSync('podman', args, { env: this.#env(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Ids of all containers, or of those that run. */
  containers(all = true): string[] {
    return this.run('ps', '-q', '--no-trunc', ...(all ? ['-a'] : []))
      .split('\n')
      .filter(Boolean)
  }

  inspect(container: string): ReturnType<typeof JSON.parse> {
    return JSON.parse(this.run('inspect', container))[0]
  }

  async stop(): Promise<void> {
    await this.stopService()
    const quietly = (command: string, ...args: string[]): SpawnSyncReturns<Buffer> =>
      spawnSync(command, args, { env: this.#env() })
    quietly('podman', 'rm', '-fa', '-t', '0')
    quietly('podman', 'volume', 'rm', '-af')
    quietly('podman', 'network', 'prune', '-f')
    quietly('umount', join(this.folder, 'root/overlay'))
    rmSync(this.folder, { recursive: true, force: true })
  }

  #env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: this.folder,
      CONTAINERS_STORAGE_CONF: join(this.folder, 'storage.conf'),
      CONTAINERS_CONF: join(this.folder, 'containers.conf'),
      CONTAINERS_REGISTRIES_CONF: join(this.folder, 'registries.conf')
    }
  }

  #importImage(): void {
    const image = join(this.folder, 'image')
    const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
    for (const file of libraries) {
      mkdirSync(join(image, dirname(file)), { recursive: true })
      copyFileSync(file, join(image, file))
    }
    for (const folder of ['bin', 'app', 'tmp', 'data']) mkdirSync(join(image, folder), { recursive: true })
    copyFileSync(process.execPath, join(image, 'bin/node'))
    copyFileSync(join(FIXTURES, 'backend.mjs'), join(image, 'app/backend.mjs'))
    copyFileSync(realpathSync('/bin/sh'), join(image, 'bin/sh'))
    copyFileSync(join(FIXTURES, 'ollama.cjs'), join(image, 'bin/ollama'))
    chmodSync(join(image, 'bin/ollama'), 0o755)
    const tar = join(this.folder, 'image.tar')
    execFileSync('tar', ['-C', image, '-cf', tar, '.'])
    this.run('import', '--change', 'WORKDIR /app', '--change', 'ENTRYPOINT ["/bin/node"]', tar, IMAGE)
    rmSync(image, { recursive: true })
    rmSync(tar)
  }
}
