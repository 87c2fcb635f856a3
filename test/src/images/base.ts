/**
 * Stands in for the official images that the Dockerfile begins with, where none can be fetched: Debian's own packages by
 * debootstrap, the pinned Node from npm, and a program that is no `cloudflared` but for its name. What is built on them
 * proves the Dockerfile, not those images.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CACHE, type Engine, ROOT } from './engine.ts'

/** What official images of Debian leave out as well. */
const NOT_IN_SLIM = [
  ...['var/cache', 'var/log', 'var/lib/apt/lists'],
  ...['doc', 'man', 'locale', 'info', 'i18n'].map(one => `usr/share/${one}`)
]
/** Folders that apt doesn't make by itself. */
const APT_NEEDS = ['var/cache/apt/archives/partial', 'var/log/apt', 'var/lib/apt/lists/partial']
const NODE = join(ROOT, 'node_modules/node/bin/node')

/** The names under which the Dockerfile asks for its base images. */
export async function baseImages(): Promise<{ debian: string; node: string; cloudflared: string }> {
  const text = await readFile(join(ROOT, 'docker/Dockerfile'), 'utf8')
  const args = new Map(Array.from(text.matchAll(/^ARG (\w+)=(\S+)$/gm), ([, name = '', value = '']) => [name, value]))
  const named = (part: string): string => {
    const from = new RegExp(`^FROM (?:--\\S+ )?(\\S*${part}\\S*) `, 'm').exec(text)?.[1]
    if (from == null) throw new Error(`the Dockerfile begins with no image ${part}`)
    return from.replace(/\$\{(\w+)\}/g, (_, name: string) => args.get(name) ?? '')
  }
  return { debian: named('/debian:'), node: named('/node:'), cloudflared: named('/cloudflared:') }
}

/** Makes those that aren't in the cache. @param cloudflared what stands in for that program */
export async function makeBaseImages(engine: Engine, cloudflared: string): Promise<void> {
  const { debian, node, ...rest } = await baseImages()
  const has = (image: string): Promise<boolean> =>
    engine.podman('image', 'exists', image).then(
      () => true,
      () => false
    )
  if (!(await has(debian))) await engine.podman('import', await debianFiles(), debian)
  if (!(await has(node))) await engine.build(await nodeFiles(debian), { tag: node, context: join(CACHE, 'node') })
  const file = await filesOf('cloudflared', 'FROM scratch\nCOPY cloudflared /usr/local/bin/cloudflared\n')
  await writeFile(join(dirname(file), 'cloudflared'), cloudflared)
  await chmod(join(dirname(file), 'cloudflared'), 0o755)
  await engine.build(file, { tag: rest.cloudflared, context: dirname(file) })
}

/** @returns an archive of the smallest Debian that installs packages */
async function debianFiles(): Promise<string> {
  const archive = join(CACHE, 'debian.tar')
  if (existsSync(archive)) return archive
  const folder = join(CACHE, 'debian')
  await rm(folder, { recursive: true, force: true })
  const made = spawnSync('debootstrap', ['--variant=minbase', 'bookworm', folder, mirror()], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`debootstrap: ${made.stdout.split('\n').slice(-10).join('\n')}${made.stderr}`)
  for (const path of NOT_IN_SLIM) await rm(join(folder, path), { recursive: true, force: true })
  for (const path of APT_NEEDS) await mkdir(join(folder, path), { recursive: true })
  execFileSync('tar', ['--create', '--file', `${archive}.new`, '--directory', folder, '.'])
  await rename(`${archive}.new`, archive)
  await rm(folder, { recursive: true, force: true })
  return archive
}

/** Where this machine has its own packages from, if it is a Debian. */
function mirror(): string {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(SITE) $(CODENAME) $(ORIGIN)'], {
    encoding: 'utf8'
  })
  const line = stdout?.split('\n').find(one => / bookworm Debian$/.test(one) && one.startsWith('http:'))
  return line?.split(' ')[0] ?? 'http://deb.debian.org/debian'
}

async function nodeFiles(debian: string): Promise<string> {
  const file = await filesOf(
    'node',
    `FROM ${debian}
COPY node /usr/local/bin/node
COPY npm/lib/node_modules /usr/local/lib/node_modules
RUN for name in npm npx; do ln -s ../lib/node_modules/npm/bin/$name-cli.js /usr/local/bin/$name; done
`
  )
  await copyFile(NODE, join(dirname(file), 'node'))
  // as the official image has it, of the line that comes with this Node
  execFileSync('npm', ['install', '--global', '--prefix', join(dirname(file), 'npm'), 'npm@11'], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  return file
}

async function filesOf(name: string, text: string): Promise<string> {
  const folder = join(CACHE, name)
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'Containerfile')
  await writeFile(file, text)
  return file
}
