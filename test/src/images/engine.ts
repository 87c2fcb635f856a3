/**
 * Builds and runs images without Docker: Debian's buildah, podman and runc, with a storage and a configuration of their
 * own, so that nothing is shared with engines of this machine and nothing is left in their places.
 *
 * @example
 * ```ts
 * const engine = await openEngine()
 * await engine.build('docker/Dockerfile', { target: 'relay', tag: 'localhost/relay' })
 * const id = await engine.podman('run', '-d', 'localhost/relay')
 * await engine.close()
 * ```
 */
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { aptInstall } from '../hosts.ts'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** Kept for the next run: a base image takes a minute to make, and what is installed in builds another. */
export const CACHE = join(ROOT, 'node_modules/.cache/hedgerow-images')
/** MiB: layers of builds long past are thrown away with all others. */
const MAX_CACHE = 8000
/** A short path: sockets lie below it. Always the same, because the storage remembers it. */
const RUN = join(tmpdir(), `hedgerow-images-${createHash('sha256').update(ROOT).digest('hex').slice(0, 8)}`)

const PROGRAMS = ['buildah', 'podman', 'runc', 'debootstrap', 'nft']
const PACKAGES = ['buildah', 'podman', 'runc', 'debootstrap', 'netavark', 'aardvark-dns', 'iptables', 'nftables']
/** Where the certificates lie in a build that needs others than Node's own. */
const CA_IN_BUILD = '/extra-ca.crt'

const execute = promisify(execFile)

export interface BuildInit {
  target?: string
  tag: string
  /** @default the checkout */
  context?: string
}

export interface Engine {
  /** @returns its stdout @throws with its stderr */
  podman(...args: string[]): Promise<string>
  build(file: string, init: BuildInit): Promise<void>
  close(): Promise<void>
}

/** What is missing here to build and run images: a reason to skip. Installs what can be installed. */
export function whyNoEngine(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'images are built on Linux and as root only'
  const missing = (): string[] => PROGRAMS.filter(name => spawnSync('which', [name]).status !== 0)
  if (missing().length > 0) aptInstall(...PACKAGES)
  return missing().length === 0 ? undefined : `not here, and not to be installed: ${missing().join(', ')}`
}

export async function openEngine(): Promise<Engine> {
  if (sizeOf(CACHE) > MAX_CACHE) await removeCache()
  const etc = join(CACHE, 'etc')
  await mkdir(etc, { recursive: true })
  await mkdir(RUN, { recursive: true, mode: 0o700 })
  const files = {
    'storage.conf': `[storage]\ndriver = "overlay"\ngraphroot = "${join(CACHE, 'storage')}"\nrunroot = "${join(RUN, 'run')}"\n`,
    // runc: crun takes no control groups of the kind that containers in containers have. No systemd is asked for any.
    'containers.conf':
      `[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\ntmp_dir = "${join(RUN, 'tmp')}"\n` +
      `[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "${join(CACHE, 'networks')}"\n`,
    'registries.conf': 'unqualified-search-registries = []\nshort-name-mode = "disabled"\n'
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(etc, name), text)
  const env = {
    ...process.env,
    CONTAINERS_STORAGE_CONF: join(etc, 'storage.conf'),
    CONTAINERS_CONF: join(etc, 'containers.conf'),
    CONTAINERS_REGISTRIES_CONF: join(etc, 'registries.conf')
  }
  const call = async (program: string, args: string[]): Promise<string> => {
    try {
      const { stdout } = await execute(program, args, { env, cwd: ROOT, maxBuffer: 64 * 1024 * 1024 })
      return stdout.trim()
    } catch (err) {
      const { stdout = '', stderr = '' } = err as { stdout?: string; stderr?: string }
      throw new Error(`${program} ${args.join(' ')}:\n${(stdout + stderr).split('\n').slice(-40).join('\n')}`)
    }
  }
  const podman = (...args: string[]): Promise<string> => call('podman', args)
  return {
    podman,
    async build(file, { target, tag, context = ROOT }) {
      const own = process.env.NODE_EXTRA_CA_CERTS
      const trust =
        own == null ? [] : ['--volume', `${own}:${CA_IN_BUILD}:ro`, '--build-arg', `NODE_EXTRA_CA_CERTS=${CA_IN_BUILD}`]
      const stage = target == null ? [] : ['--target', target]
      const isolation = ['--isolation', 'chroot', '--network', 'host', '--pull-never', '--format', 'docker', '--layers']
      await call('buildah', ['bud', ...isolation, ...trust, ...stage, '--tag', tag, '--file', file, context])
    },
    async close() {
      if (process.env.CI === 'true') await removeCache()
    }
  }
}

/** A clone that CI makes is used once. */
async function removeCache(): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map(line => line.split(' ')[1] ?? '')
  for (const path of mounts.filter(one => one.startsWith(CACHE)).reverse()) spawnSync('umount', ['-l', path])
  await rm(CACHE, { recursive: true, force: true })
  await rm(RUN, { recursive: true, force: true })
}

function sizeOf(folder: string): number {
  if (!existsSync(folder)) return 0
  const { stdout } = spawnSync('du', ['-xsm', folder], { encoding: 'utf8' })
  return Number.parseInt(stdout, 10) || 0
}
