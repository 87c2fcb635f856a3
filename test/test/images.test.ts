/**
 * The images, built by the real Dockerfile and run as the compose files run them: what is in them, and a closed mesh of
 * them in which only the relay's port can be reached.
 */
import assert from 'node:assert/strict'
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { EMBEDDED_SERVICES } from '@hedgerow/scripts/mesh'
import { skipUnless } from '../src/browser.ts'
import { until } from '../src/harness.ts'
import { makeBaseImages } from '../src/images/base.ts'
import { type Engine, openEngine, ROOT, whyNoEngine } from '../src/images/engine.ts'
import { startLoad } from '../src/images/load.ts'
import { GRACE, IMAGES, RUN, type Site, startSite } from '../src/images/site.ts'

const MB = 1_000_000
/** What the real cloudflared has that its stand-in has not: 40 MB for amd64, and some room. */
const CLOUDFLARED = 45 * MB
const LIMITS = { daemon: 450 * MB, relay: 300 * MB } as const
/** Milliseconds: five services start at once, on a machine that may have other things to do. */
const READY_TIMEOUT = 240_000
const ROLES = ['daemon', 'relay'] as const
const STAND_IN = '#!/bin/sh\nexec node /stand-in/cloudflared.mjs /stand-in/script.json "$@"\n'

describe('images', function () {
  this.timeout(2 * READY_TIMEOUT)
  let engine: Engine
  const roots = new Map<string, string>()

  before(async function () {
    this.timeout(15 * 60_000)
    skipUnless(this, whyNoEngine())
    engine = await openEngine()
    await timed('base images', () => makeBaseImages(engine, STAND_IN))
    for (const target of ROLES) {
      await timed(`image of ${target}`, () => engine.build('docker/Dockerfile', { target, tag: IMAGES[target] }))
      roots.set(target, await engine.podman('image', 'mount', IMAGES[target]))
    }
  })
  after(async () => {
    for (const role of roots.keys()) await engine.podman('image', 'unmount', IMAGES[role as keyof typeof IMAGES])
    await engine?.close()
  })

  for (const role of ROLES) {
    describe(`of ${role}`, () => {
      const files = (): Promise<string[]> => filesBelow(roots.get(role) ?? '')

      it('is small', async () => {
        const size = Number(await engine.podman('image', 'inspect', '--format', '{{.Size}}', IMAGES[role]))
        process.stderr.write(`      ${Math.round(size / MB)} MB, and cloudflared\n`)
        assert.ok(size > 100 * MB && size + CLOUDFLARED < LIMITS[role], `${size} bytes`)
      })

      it('runs as a user without rights, under tini, with one volume, no port and a health check', async () => {
        const [{ Config }] = JSON.parse(await engine.podman('image', 'inspect', IMAGES[role]))
        assert.equal(Config.User, '10001:10001')
        assert.deepEqual(Config.Entrypoint, ['/usr/bin/tini', '--'])
        assert.deepEqual(Object.keys(Config.Volumes), ['/data'])
        assert.equal(Config.ExposedPorts, undefined)
        assert.equal(Config.Labels['org.opencontainers.image.licenses'], 'MIT')
        assert.match(Config.Labels['org.opencontainers.image.title'], /^Hedgerow /)
        assert.ok(Config.Env.includes('HEDGEROW_DATA_DIR=/data'))
        const [{ Healthcheck }] = JSON.parse(await engine.podman('image', 'inspect', IMAGES[role]))
        assert.deepEqual((Healthcheck ?? Config.Healthcheck).Test, ['CMD', 'node', '/app/docker/image/health.mjs'])
      })

      it('holds the Node that the repository is pinned to, and no npm', async () => {
        const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
        assert.equal(
          await engine.podman('run', '--rm', ...RUN, IMAGES[role], 'node', '--version'),
          `v${devDependencies.node}`
        )
        assert.deepEqual(
          (await files()).filter(file => /(^|\/)(npm|npx|yarn|corepack)(\/package\.json)?$/.test(file)),
          []
        )
      })

      it('holds no development dependency, no test, no map, no type, and nothing of this checkout besides', async () => {
        const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
          packages: Record<string, { dev?: boolean }>
        }
        const dev = Object.keys(packages).filter(path => packages[path]?.dev === true)
        assert.ok(dev.length > 100)
        const all = new Set(await files())
        assert.ok(all.has('app/node_modules/libp2p/package.json'))
        assert.deepEqual(
          dev.filter(path => all.has(`app/${path}/package.json`)),
          []
        )
        const own = [...all].filter(file => file.startsWith('app/'))
        const unwanted =
          /\.(map|tsbuildinfo)$|\.test\.|^app\/(?!node_modules).*(^|\/)tests?\/|^app\/.*node_modules\/.*\.[mc]?ts$|\.d\.ts$/
        assert.deepEqual(
          own.filter(file => unwanted.test(file)),
          []
        )
        const folders = new Set(own.map(file => file.split('/')[1]))
        const also = role === 'relay' ? ['bootstrap-relay', 'browser-node'] : []
        assert.deepEqual(
          [...folders].sort(),
          ['LICENSE', 'daemon', 'docker', 'inspector', 'node_modules', 'protocols', 'services', ...also].sort()
        )
      })

      it('holds the manifest of every service, a worker also those of the catalogue', async () => {
        const isManifest = (file: string): boolean =>
          /^services\/(?!.*node_modules).*hedgerow\.service\.yaml$/.test(file)
        const here = (await filesBelow(join(ROOT, 'services'))).map(file => `services/${file}`).filter(isManifest)
        const wanted = here.filter(file => role === 'daemon' || !file.startsWith('services/catalogue/'))
        assert.ok(wanted.length > 5 && here.some(file => file.startsWith('services/catalogue/')))
        const there = (await files()).map(file => file.replace(/^app\//, '')).filter(isManifest)
        assert.deepEqual(there.sort(), wanted.sort())
      })

      it('holds native code of its own architecture alone', async () => {
        const native = (await files()).filter(file => /^app\/.*\.(node|so[.\d]*|dylib|dll|exe)$/.test(file))
        assert.ok(role === 'relay' || native.length >= 4, native.join())
        const machine = async (file: string): Promise<string> => {
          const handle = await open(join(roots.get(role) ?? '', file))
          const { buffer } = await handle.read(Buffer.alloc(20), 0, 20, 0)
          await handle.close()
          // ELF's magic, and its number for a kind of processor
          return buffer.toString('latin1', 0, 4) === '\x7fELF' ? buffer.toString('hex', 18, 20) : 'no ELF'
        }
        const node = await machine('usr/local/bin/node')
        for (const file of native) assert.equal(await machine(file), node, file)
      })
    })
  }

  it('run the inspector and explain themselves', async () => {
    for (const [role, program] of [
      ['daemon', '/app/daemon/bin/hedgerow-daemon.js'],
      ['relay', '/app/bootstrap-relay/bin/hedgerow-relay.js']
    ] as const) {
      assert.match(await engine.podman('run', '--rm', ...RUN, IMAGES[role], 'hedgerow', '--help'), /doctor/)
      assert.match(
        await engine.podman('run', '--rm', ...RUN, IMAGES[role], 'node', program, '--help'),
        /HEDGEROW_RELAY/
      )
    }
  })

  it('let a worker take services of the catalogue, and say what it needs for that', async () => {
    const wrong = engine.podman('run', '--rm', ...RUN, '-e', 'HEDGEROW_CATALOGUE=olama', IMAGES.daemon)
    await assert.rejects(wrong, /HEDGEROW_CATALOGUE.*did you mean ollama\?/)
  })

  it('let a relay run the cloudflared in it', async () => {
    const fixture = join(ROOT, 'daemon/test/fixtures/cloudflared.mjs')
    const script = JSON.stringify({ does: 'work', ready: true, hostname: 'relay.example', journal: '/tmp/journal' })
    const mounts = ['--volume', `${fixture}:/stand-in/cloudflared.mjs:ro`, '--tmpfs', '/stand-in:rw,mode=0777']
    const start = `echo '${script}' > /stand-in/script.json; exec node /app/bootstrap-relay/bin/hedgerow-relay.js`
    const settings = ['--env', 'HEDGEROW_TUNNEL=quick', '--network', 'none']
    const id = await engine.podman('run', '--detach', ...RUN, ...mounts, ...settings, IMAGES.relay, 'sh', '-c', start)
    try {
      const look = `console.log(await (await fetch('http://127.0.0.1:8080/health')).text())`
      const tunnel = await until('the tunnel is ready', async () => {
        const text = await engine.podman('exec', id, 'node', '--input-type=module', '--eval', look)
        const health = JSON.parse(text)
        return health.tunnel?.state === 'ready' && health.tunnel
      })
      assert.equal(tunnel.url, 'https://relay.example')
    } finally {
      await engine.podman('rm', '--force', '--time', GRACE, '--volumes', id)
    }
  })

  describe('of a relay and two workers, each in a bridge network of its own', () => {
    let site: Site
    const peers = new Map<string, string>()
    const text = JSON.stringify({ text: 'Mrs Ada Obi owes Barclaycard £1,240.50, due 3 March 2026' })

    before(async function () {
      this.timeout(2 * READY_TIMEOUT)
      await timed('mesh of containers', async () => {
        site = await startSite(engine)
        // One after the other: ten services that start at once have too little of two cores to be healthy in time.
        for (const i of site.workers.keys()) {
          await site.startWorker(i)
          await ready(i + 1)
        }
      })
      for (const name of site.workers) peers.set(name, (await health(name)).peer_id)
    })
    after(() => site?.stop())

    const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(site.url + path, { ...init, headers: { ...(init.headers as object), 'x-api-key': site.key } })
    const post = (service: string, body: BodyInit, type: string): Promise<Response> =>
      ask(`/service/${service}`, { method: 'POST', body, headers: { 'content-type': type } })
    const ready = (workers: number): Promise<true> =>
      until(
        `${workers} offer every service`,
        async () => {
          const { services } = await (await ask('/api/services')).json()
          const healthy = (name: string): number => services.find((one: { name: string }) => one.name === name)?.healthy
          const missing = EMBEDDED_SERVICES.filter(name => healthy(name) !== workers)
          if (missing.length > 0) throw new Error(`not all offer ${missing.join(', ')}`)
          return true
        },
        READY_TIMEOUT
      )
    const health = (name: string): Promise<{ peer_id: string; status: string }> =>
      site.evaluate(name, `return (await fetch('http://127.0.0.1:8000/health')).json()`)
    /** How many scans a worker reads now, whoever asked for them. */
    const scansOf = async (name: string): Promise<number> => {
      const metrics = await site.evaluate<string>(name, `return (await fetch('http://127.0.0.1:8000/metrics')).text()`)
      return Number(/^hedgerow_in_flight\{service="vision-ocr"\} (\d+)$/m.exec(metrics)?.[1])
    }
    const logOf = (name: string): Promise<string> => engine.podman('logs', name).catch(err => String(err))
    /** Whether a TCP port can be connected to from within a container. */
    const reaches = (from: string, host: string, port: number): Promise<boolean> =>
      site.evaluate(
        from,
        `const { connect } = await import('node:net')
         return new Promise(resolve => {
           const socket = connect({ host: '${host}', port: ${port}, timeout: 3000 })
           const end = open => { socket.destroy(); resolve(open) }
           socket.on('connect', () => end(true)).on('error', () => end(false)).on('timeout', () => end(false))
         })`
      )

    it('is joined by an invite and the relay’s address alone: nothing else can be reached', async () => {
      const [first = '', second = ''] = site.workers
      const ports = (await engine.podman('exec', second, 'cat', '/data/p2p-port')).split(' ').map(Number)
      const [port = 0] = ports
      const address = await site.addressOf(second)
      const { hostname, port: published } = new URL(site.url)
      assert.equal(await reaches(first, hostname, Number(published)), true)
      assert.equal(await reaches(second, address, port), true, 'it listens there')
      assert.equal(await reaches(first, address, port), false)
      assert.equal(await reaches(site.relay, address, port), false)
      const [{ HostConfig }] = JSON.parse(await engine.podman('inspect', second))
      assert.equal(HostConfig.ReadonlyRootfs, true)
      assert.deepEqual(HostConfig.PortBindings, {})
    })

    it('serves what is asked at the relay, by either worker', async () => {
      for (const name of site.workers) {
        const worker = peers.get(name) ?? ''
        const headers = { 'content-type': 'application/json', 'hedgerow-worker': worker }
        const response = await ask('/service/ner', { method: 'POST', body: text, headers })
        assert.equal(response.status, 200, await response.clone().text())
        assert.equal(response.headers.get('hedgerow-worker'), worker)
        const { entities } = await response.json()
        assert.ok(entities.some((one: { text: string }) => one.text === '£1,240.50'))
      }
      const page = await fetch(site.url)
      assert.match(await page.text(), /<!doctype html>/i)
    })

    it('serves all that ships: scans too, with the mesh’s own help', async () => {
      const scan = await readFile(join(ROOT, 'examples/data/creditor-letter-scan.pdf'))
      const read = await post('upload', scan, 'application/pdf')
      assert.equal(read.status, 200, await read.clone().text())
      assert.match((await read.json()).text, /Northgate Recoveries/)
      const notes =
        'Client: Ada Obi. Debts: Barclaycard £1,240.50. Advised 3 March 2026 by phone: breathing space, agreed.'
      const letter = await post('notes', JSON.stringify({ notes }), 'application/json')
      assert.match((await letter.json()).letter, /1,240\.50/)
      const manual = JSON.stringify({ text: 'Breathing space pauses most interest and enforcement for 60 days.' })
      const kept = await post('rag/documents', manual, 'application/json')
      assert.deepEqual([kept.status, (await kept.json()).replicas], [201, 2])
      const question = JSON.stringify({ query: 'how long are creditors held off?', top_k: 1 })
      const found = await (await post('rag', question, 'application/json')).json()
      assert.match(found.passages[0].text, /60 days/)
    })

    it('lets a worker use the other one through the relay', async () => {
      const [first = '', second = ''] = site.workers
      const path = await site.evaluate(
        first,
        `const response = await fetch('http://127.0.0.1:8000/service/ner', {
           method: 'POST', body: ${JSON.stringify(text)},
           headers: { 'content-type': 'application/json', 'hedgerow-worker': '${peers.get(second)}' }
         })
         return [response.status, response.headers.get('hedgerow-path')]`
      )
      assert.deepEqual(path, [200, 'relayed'])
    })

    it('knows of itself whether it is healthy', async () => {
      for (const name of [site.relay, ...site.workers])
        assert.match(await engine.podman('exec', name, 'node', '/app/docker/image/health.mjs'), /healthy$/)
      const nobody = engine.podman(
        'exec',
        '--env',
        'HEDGEROW_HTTP_PORT=9',
        site.relay,
        'node',
        '/app/docker/image/health.mjs'
      )
      await assert.rejects(nobody, /127\.0\.0\.1:9/)
    })

    it('can be looked at from within', async () => {
      const [first = ''] = site.workers
      assert.match(await engine.podman('exec', first, 'hedgerow', 'services'), /ner-extraction/)
      assert.match(await engine.podman('exec', first, 'hedgerow', 'peers'), /relay/)
      // It ends with 0: nothing is wrong.
      assert.match(await engine.podman('exec', first, 'hedgerow', 'doctor'), /relay/)
    })

    it('leaves no zombies behind', async () => {
      const [first = ''] = site.workers
      assert.equal(await engine.podman('exec', first, 'cat', '/proc/1/comm'), 'tini')
      // Whoever started it is gone, so it is the first process's to bury.
      await engine.podman('exec', first, 'sh', '-c', '(exec -a orphan sleep 0.2 2>/dev/null || sleep 0.2) & exit')
      const states = async (): Promise<string[]> => {
        const lines = await engine.podman('exec', first, 'sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null || true')
        return Array.from(lines.matchAll(/^\d+ \((.*)\) (\w)/gm), ([, name, state]) => `${name} ${state}`)
      }
      await until('none is left', async () => {
        const all = await states()
        return all.includes('tini S') && !all.some(one => / Z$/.test(one) || /^sleep /.test(one))
      })
    })

    it('loses no request when a worker is stopped under load, and takes it back as the same peer', async () => {
      const scan = await readFile(join(ROOT, 'examples/data/creditor-letter-scan.pdf'))
      const loads = [
        startLoad(4, () => post('ner', text, 'application/json')),
        startLoad(3, () => post('ocr', scan, 'application/pdf'))
      ] as const
      const [{ counts: answered }] = loads
      const atLeast = (wanted: number) => async () => (answered.get('200') ?? 0) >= wanted
      let stopped = ''
      try {
        await until('there is a load', atLeast(100), READY_TIMEOUT)
        const reading = async (): Promise<string | undefined> => {
          for (const name of site.workers) if ((await scansOf(name)) > 0) return name
          return undefined
        }
        stopped = await until('one reads a scan', reading, READY_TIMEOUT)
        await timed('podman stop', () => engine.podman('stop', '--time', GRACE, stopped))
        await until('the other one goes on', atLeast((answered.get('200') ?? 0) + 20), READY_TIMEOUT)
      } finally {
        for (const load of loads) await load.stop()
      }
      assert.equal(await engine.podman('inspect', '--format', '{{.State.ExitCode}}', stopped), '0')
      assert.doesNotMatch(await logOf(stopped), /draining takes too long|stopping takes too long/)
      for (const { counts, details } of loads) assert.deepEqual([...counts.keys()], ['200'], details.join('\n'))
      for (const name of site.workers) assert.ok((loads[0].workers.get(peers.get(name) ?? '') ?? 0) > 0, name)

      await engine.podman('rm', stopped)
      // No invite: the credential lies in the volume.
      await site.startWorker(site.workers.indexOf(stopped), {})
      await ready(2)
      assert.equal((await health(stopped)).peer_id, peers.get(stopped))
    })

    it('ends in order, the relay too', async () => {
      for (const name of [...site.workers, site.relay]) {
        await engine.podman('stop', '--time', GRACE, name)
        assert.equal(await engine.podman('inspect', '--format', '{{.State.ExitCode}}', name), '0', await logOf(name))
      }
    })
  })
})

/** How long the parts took: they are what makes this suite slow. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  process.stderr.write(`    ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`)
  return result
}

/** Relative to that folder; links aren't followed. */
async function filesBelow(folder: string): Promise<string[]> {
  assert.ok((await stat(folder)).isDirectory())
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => !entry.isDirectory())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
}
