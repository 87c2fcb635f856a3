/** The compose files and the release: what every one of them owes to whoever runs it, without an engine. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { skipUnless } from '../src/browser.ts'
import { aptInstall } from '../src/hosts.ts'
import { ROOT } from '../src/images/engine.ts'

const DOCKER = join(ROOT, 'docker')
/** Only adds to another one. */
const OVERRIDE = 'compose.docker-socket.yaml'
/** Seconds: what a peer may take to drain and to stop (`daemon/src/process`). */
const END = 50

interface Service {
  image: string
  build?: { target: string }
  environment?: Record<string, string>
  ports?: string[]
  volumes?: string[]
  network_mode?: string
  [key: string]: unknown
}

describe('compose files', () => {
  let names: string[]
  const files = new Map<string, { name: string; services: Record<string, Service>; volumes: Record<string, unknown> }>()

  before(async () => {
    names = (await readdir(DOCKER)).filter(name => /^compose.*\.yaml$/.test(name))
    for (const name of names) files.set(name, parse(await readFile(join(DOCKER, name), 'utf8'), { merge: true }))
    assert.ok(names.length >= 5)
  })
  const services = (): Array<[string, Service]> =>
    [...files]
      .filter(([file]) => file !== OVERRIDE)
      .flatMap(([file, { services }]) =>
        Object.entries(services).map(([name, service]): [string, Service] => [`${file} ${name}`, service])
      )

  it('give no container more than it needs', () => {
    for (const [where, service] of services()) {
      assert.equal(service.read_only, true, where)
      assert.deepEqual(service.cap_drop, ['ALL'], where)
      assert.equal(service.cap_add, undefined, where)
      assert.equal(service.privileged, undefined, where)
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], where)
      assert.match(String(service.tmpfs), /^\/tmp:size=\d+[mg],/, where)
      assert.ok(Number(service.pids_limit) > 0, where)
      assert.ok(!service.volumes?.some(volume => /docker\.sock/.test(volume)), where)
    }
  })

  it('wait for what is in hand, come back, and fill no disk with logs', () => {
    for (const [where, service] of services()) {
      assert.ok(Number.parseInt(String(service.stop_grace_period), 10) > END, where)
      assert.match(String(service.restart), /^(unless-stopped|on-failure|no)$/, where)
      const { options } = service.logging as { options: Record<string, string> }
      assert.ok(options['max-size'] != null && options['max-file'] != null, where)
    }
  })

  it('need neither the host’s network nor a port, but for a mesh that is this host’s own', () => {
    for (const [where, service] of services()) {
      assert.ok(service.network_mode == null || service.network_mode === 'none', where)
      for (const port of service.ports ?? []) {
        assert.equal(where, 'compose.mesh.yaml relay')
        assert.match(port, /^127\.0\.0\.1:/)
      }
    }
  })

  it('keep what has to outlive a container in volumes that are theirs alone', () => {
    for (const [file, { name, services, volumes = {} }] of files) {
      if (file === OVERRIDE) continue
      assert.match(name, /^hedgerow-/, file)
      for (const [service, { volumes: used = [], image }] of Object.entries(services)) {
        if (/hedgerow-(daemon|relay)/.test(image))
          assert.ok(
            used.some(volume => volume.endsWith(':/data')),
            `${file} ${service}`
          )
        for (const volume of used) assert.ok(volume.split(':')[0] ?? '' in volumes, `${file} ${volume}`)
      }
    }
    const ofNames = [...files].filter(([file]) => file !== OVERRIDE).map(([, { name }]) => name)
    assert.equal(new Set(ofNames).size, ofNames.length, 'one project would take another one’s volumes')
  })

  it('set what a worker or a relay knows, and nothing else', async () => {
    const settings = ['daemon/src', 'bootstrap-relay/src', 'services'].map(folder => sourcesBelow(join(ROOT, folder)))
    const known = (await Promise.all(settings)).flat().join('\n')
    const all = [...files.values()].flatMap(({ services }) => Object.values(services))
    const used = all.flatMap(({ environment = {} }) => Object.keys(environment))
    for (const name of used.filter(one => /^HEDGEROW_|^LOG_/.test(one))) assert.ok(known.includes(name), name)
    for (const name of ['HEDGEROW_TUNNEL', 'HEDGEROW_INVITE', 'HEDGEROW_CATALOGUE'])
      assert.ok(used.includes(name), name)
  })

  it('build targets that the Dockerfile has', async () => {
    const dockerfile = await readFile(join(DOCKER, 'Dockerfile'), 'utf8')
    for (const [where, { build, image }] of services()) {
      if (build == null) continue
      assert.match(dockerfile, new RegExp(`^FROM \\S+ AS ${build.target}$`, 'm'), where)
      assert.ok(image.includes(`hedgerow-${build.target}:`), where)
    }
  })

  it('are taken by a program for compose files', async function () {
    this.timeout(120_000)
    const program = composeProgram()
    skipUnless(
      this,
      program == null ? 'neither docker compose nor docker-compose is here, or to be installed' : undefined
    )
    const [command = '', ...args] = program ?? []
    const folder = await mkdtemp(join(tmpdir(), 'hedgerow-compose-'))
    try {
      for (const name of names) {
        const text = await readFile(join(DOCKER, name), 'utf8')
        // Debian's has all but the names of projects.
        await writeFile(join(folder, name), command === 'docker' ? text : text.replace(/^name:.*$/m, ''))
      }
      for (const name of names) {
        const chosen = name === OVERRIDE ? ['compose.worker.yaml', name] : [name]
        const flags = chosen.flatMap(one => ['-f', join(folder, one)])
        const env = { ...process.env, DOCKER_GID: '999' }
        const { status, stderr, stdout } = spawnSync(command, [...args, ...flags, 'config'], { encoding: 'utf8', env })
        assert.equal(status, 0, stderr)
        assert.match(stdout, /services:/)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('the release', () => {
  it('pins what it runs, builds both images for both architectures, and says what is in them', async () => {
    const text = await readFile(join(ROOT, '.github/workflows/release.yml'), 'utf8')
    const { on, jobs, permissions } = parse(text)
    assert.deepEqual(on, { push: { tags: ['v*.*.*'] } })
    assert.deepEqual(permissions, {})
    assert.deepEqual(jobs.images.permissions, { contents: 'read', packages: 'write' })
    assert.deepEqual(jobs.images.strategy.matrix.target, ['daemon', 'relay'])
    const steps: Array<{ uses: string; with: Record<string, unknown> }> = jobs.images.steps
    for (const { uses } of steps) assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
    for (const line of text.split('\n').filter(one => one.includes('uses:'))) assert.match(line, / # v\d+\.\d+\.\d+$/)
    const build = steps.find(({ uses }) => uses.startsWith('docker/build-push-action@'))?.with
    assert.equal(build?.platforms, 'linux/amd64,linux/arm64')
    assert.deepEqual([build?.push, build?.sbom, build?.provenance], [true, true, 'mode=max'])
    assert.equal(build?.file, 'docker/Dockerfile')
  })

  it('has the Node that the repository is pinned to, in the Dockerfile too', async () => {
    const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    const dockerfile = await readFile(join(DOCKER, 'Dockerfile'), 'utf8')
    assert.equal(/^ARG NODE_VERSION=(\S+)$/m.exec(dockerfile)?.[1], devDependencies.node)
    assert.doesNotMatch(dockerfile, /:latest/)
  })
})

function composeProgram(): string[] | undefined {
  const works = (...command: string[]): boolean =>
    spawnSync(command[0] ?? '', [...command.slice(1), 'version']).status === 0
  if (works('docker', 'compose')) return ['docker', 'compose']
  if (!works('docker-compose') && process.platform === 'linux' && process.getuid?.() === 0) aptInstall('docker-compose')
  return works('docker-compose') ? ['docker-compose'] : undefined
}

async function sourcesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sources = entries.filter(entry => entry.isFile() && /\.(ts|yaml)$/.test(entry.name))
  return Promise.all(sources.map(entry => readFile(join(entry.parentPath, entry.name), 'utf8')))
}
