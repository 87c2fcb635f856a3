import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createEngine } from '../src/containers/index.ts'
import type { ServiceInstance } from '../src/runtime/index.ts'
import { complies } from './support/backend-compliance.ts'
import { IMAGE, Podman, whyNoPodman } from './support/podman.ts'
import { call, healthy, isAlive, json, TestRuntime, text, until } from './support/runtime.ts'
import { eventually, Worker } from './support/worker.ts'

describe('a backend that is a process', function () {
  this.timeout(60_000)
  let runtime: TestRuntime
  beforeEach(() => {
    runtime = new TestRuntime()
  })
  afterEach(() => runtime.stop())

  const pids = (): number[] => [...runtime.trace().matchAll(/^started (\d+)$/gm)].map(([, pid]) => Number(pid))
  complies({
    runtime: () => runtime,
    backend: (mode = '', program = ['node', 'backend.mjs']) => ({
      process: { command: program, env: { MODE: mode, TRACE: runtime.traceFile } }
    }),
    running: () => pids().filter(isAlive).length,
    kill: instance => process.kill(instance.inspect().backend.pid ?? assert.fail('it does not run'), 'SIGKILL')
  })
})

describe('a backend in a container', function () {
  this.timeout(60_000)
  const podman = new Podman()
  let runtime: TestRuntime
  before(async function () {
    this.timeout(180_000)
    const why = whyNoPodman()
    if (why != null) {
      assert.ok(process.env.CI == null, why)
      this.skip()
    }
    await podman.start()
  })
  after(() => podman.stop())
  beforeEach(() => {
    runtime = new TestRuntime(log => createEngine({ socket: podman.socket, env: {}, interval: 100, log }))
  })
  afterEach(async () => {
    await runtime.stop()
    assert.deepEqual(podman.containers(), [])
  })

  const container = (over: Record<string, unknown> = {}, mode = '') => ({
    container: {
      image: IMAGE,
      port: 8080,
      command: ['backend.mjs'],
      env: { MODE: mode },
      memory_mb: 256,
      pull: 'never',
      stop_s: 1,
      ...over
    }
  })
  const host = (over: Record<string, unknown> = {}, manifest: Record<string, unknown> = {}): ServiceInstance =>
    runtime.host({ manifest: { backend: container(over), ...manifest } })
  const idOf = (instance: ServiceInstance): string =>
    instance.inspect().backend.container ?? assert.fail('it does not run')
  const lastError = (instance: ServiceInstance): string => instance.inspect().backend.lastError?.message ?? ''
  const failed = (instance: ServiceInstance) => until('it has failed', () => lastError(instance) !== '')

  complies({
    runtime: () => runtime,
    backend: (mode, program) => container(program == null ? {} : { command: program }, mode),
    running: () => podman.containers().length,
    kill: instance => podman.run('kill', '-s', 'KILL', idOf(instance))
  })

  it('gets the rights, limits and variables of its manifest, and no more', async () => {
    const instance = await healthy(
      host({
        cores: 0.5,
        memory_mb: 200,
        pids: 200,
        shm_mb: 32,
        read_only: true,
        tmpfs: ['/tmp'],
        user: '1000:1000',
        cap_add: ['NET_BIND_SERVICE'],
        env: { GREETING: 'hello' }
      })
    )
    const { HostConfig, Config, NetworkSettings, EffectiveCaps } = podman.inspect(idOf(instance))
    assert.equal(HostConfig.NanoCpus, 5e8)
    assert.equal(HostConfig.Memory, 200 * 1024 * 1024)
    assert.equal(HostConfig.MemorySwap, 200 * 1024 * 1024)
    assert.equal(HostConfig.PidsLimit, 200)
    assert.equal(HostConfig.ShmSize, 32 * 1024 * 1024)
    assert.equal(HostConfig.ReadonlyRootfs, true)
    assert.equal(HostConfig.Privileged, false)
    assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges'])
    assert.deepEqual(EffectiveCaps, ['CAP_NET_BIND_SERVICE'])
    assert.notEqual(HostConfig.NetworkMode, 'host')
    assert.equal(Config.User, '1000:1000')
    assert.equal(Config.Labels['hedgerow.service'], 'fixture')
    assert.equal(Config.Labels['hedgerow.peer'], '12D3KooWTest')
    for (const [{ HostIp }] of Object.values<[{ HostIp: string }]>(NetworkSettings.Ports))
      assert.equal(HostIp, '127.0.0.1')

    const env = await json(await call(instance, { path: '/env' }))
    assert.equal(env.GREETING, 'hello')
    assert.equal(env.PORT, '8080')
    assert.equal(env.HEDGEROW_PEER_ID, '12D3KooWTest')
    for (const name of ['HEDGEROW_MESH_URL', 'HEDGEROW_SERVICE_CONTEXT', 'HEDGEROW_PARENT']) assert.ok(!(name in env))
  })

  it('has no capability that it was not given', async () => {
    const program = "require('fs').chownSync('/app/backend.mjs', 1, 1)"
    const refused = host({ command: ['-e', program] })
    await failed(refused)
    assert.match(lastError(refused), /EPERM/)
    await refused.stop()
    const allowed = host({ command: ['-e', program], cap_add: ['CHOWN'] })
    await failed(allowed)
    assert.equal(lastError(allowed), 'exited with code 0')
  })

  it('that takes too much memory is said to', async () => {
    const grow = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(2e7, 1)), 1)'
    const instance = host({ command: ['-e', grow], memory_mb: 64 })
    await failed(instance)
    assert.match(lastError(instance), /killed.*limit of 64 MiB \(memory_mb\)/)
  })

  it('keeps its volumes, and nothing else', async () => {
    const program = `const fs = require('fs')
      const had = name => fs.existsSync(name)
      const seen = JSON.stringify({ kept: had('/data/x'), lost: had('/tmp/x') })
      fs.writeFileSync('/data/x', ''); fs.writeFileSync('/tmp/x', '')
      require('http').createServer((_, response) => response.end(seen)).listen(8080)`
    const instance = await healthy(host({ command: ['-e', program], volumes: ['data:/data'] }))
    assert.deepEqual(await json(await call(instance, { path: '/' })), { kept: false, lost: false })
    await instance.stop()
    instance.start()
    await healthy(instance)
    assert.deepEqual(await json(await call(instance, { path: '/' })), { kept: true, lost: false })
    await instance.stop()
    assert.match(podman.run('volume', 'ls', '-q'), /^hedgerow-fixture-[a-z0-9]+-data$/m)
  })

  it('reads a folder of the host, and cannot write it', async () => {
    const program = "require('fs').writeFileSync('/host/x', '')"
    const instance = host({ command: ['-e', program], volumes: [`${runtime.folder}:/host:ro`] })
    await failed(instance)
    assert.match(lastError(instance), /EROFS/)
  })

  it('gets no folder with the socket of its engine', async () => {
    const instance = host({ volumes: [`${dirname(podman.socket)}:/engine:ro`] })
    await failed(instance)
    assert.match(lastError(instance), /holds the engine's own socket/)
  })

  it('may speak TCP', async () => {
    const program = "require('net').createServer(socket => socket.pipe(socket)).listen(5432)"
    const instance = runtime.host({
      manifest: {
        protocol: 'tcp',
        operations: undefined,
        admission: undefined,
        timeouts: undefined,
        backend: container({ command: ['-e', program], port: 5432 })
      }
    })
    await healthy(instance)
    const { origin = '' } = instance.inspect().backend
    assert.match(origin, /^tcp:\/\/127\.0\.0\.1:\d+$/)
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.end('echo')
    assert.equal(Buffer.concat(await socket.toArray()).toString(), 'echo')
  })

  it('is published at a port that its manifest names, and says when that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const address = server.address()
    const port = address != null && typeof address === 'object' ? address.port : 0
    const instance = host({ host_port: port })
    await failed(instance)
    assert.match(lastError(instance), new RegExp(`port ${port} of this machine is taken`))
    await new Promise(resolve => server.close(resolve))
    await healthy(instance)
    assert.equal(instance.inspect().backend.origin, `http://127.0.0.1:${port}`)
  })

  it('without its image says so, and is not pulled without end', async () => {
    const never = host({ image: 'localhost/nowhere:1' })
    await failed(never)
    assert.match(lastError(never), /localhost\/nowhere:1 is not here, and pull is never: docker pull/)
    const missing = host({ image: '127.0.0.1:1/nowhere', pull: 'missing' })
    await failed(missing)
    assert.match(lastError(missing), /^cannot pull 127\.0\.0\.1:1\/nowhere:latest: /)
    assert.equal(missing.state, 'backing-off')
    const waits = runtime.lines.flatMap(({ msg, restart_in_ms }) => (msg === 'backend failed' ? [restart_in_ms] : []))
    assert.ok(waits.some(wait => Number(wait) >= 5000))
  })

  it('removes what an earlier life of this daemon left of the same service', async () => {
    const labels = ['--label', 'hedgerow.service=fixture', '--label', 'hedgerow.peer=12D3KooWTest']
    const program = 'process.on("SIGTERM", process.exit); setInterval(() => {}, 1000)'
    podman.run('run', '-d', ...labels, '--name', 'hedgerow-fixture-d3koowtest', IMAGE, '-e', program)
    // Anybody's image may have these labels.
    const theirs = podman.run('run', '-d', ...labels, '--name', 'theirs', IMAGE, '-e', program).trim()
    const instance = await healthy(host())
    assert.deepEqual(podman.containers().sort(), [idOf(instance), theirs].sort())
    podman.run('rm', '-f', '-t', '0', theirs)
  })

  it('runs on without its engine, and is ended when that is back', async () => {
    const instance = await healthy(host())
    await podman.stopService()
    assert.equal(await text(await call(instance, { path: '/', method: 'POST', body: Buffer.from('on') })), 'on')
    await podman.startService()
    assert.equal(await text(await call(instance, { path: '/', method: 'POST', body: Buffer.from('on') })), 'on')
    podman.run('kill', idOf(instance))
    await until('its end is seen', () => instance.inspect().backend.restarts > 0)
    await healthy(instance)
  })

  it('waits for an engine that is not there, with the reason', async () => {
    await podman.stopService()
    try {
      const instance = host()
      await failed(instance)
      assert.match(lastError(instance), /no container engine: nothing at .*engine\.sock; install Docker or Podman/)
      await podman.startService()
      await healthy(instance)
    } finally {
      await podman.startService()
    }
  })

  it('joins the networks of a daemon that is a container itself, and is not published', async () => {
    await runtime.stop()
    podman.run('network', 'create', 'hedgerow-own')
    const own = podman.run('run', '-d', '--network', 'hedgerow-own', IMAGE, '-e', 'setInterval(() => {}, 1e3)').trim()
    try {
      runtime = new TestRuntime(log =>
        createEngine({ socket: podman.socket, env: {}, own: { id: own, certain: true }, log })
      )
      const instance = await healthy(host())
      assert.equal(await text(await call(instance, { path: '/', method: 'POST', body: Buffer.from('in') })), 'in')
      const { NetworkSettings, HostConfig } = podman.inspect(idOf(instance))
      assert.deepEqual(Object.keys(NetworkSettings.Networks), ['hedgerow-own'])
      assert.ok(NetworkSettings.Networks['hedgerow-own'].Aliases.includes('fixture'))
      assert.deepEqual(Object.values(HostConfig.PortBindings).filter(Boolean), [])
      assert.match(instance.inspect().backend.origin ?? '', /^http:\/\/10\.[0-9.]+:8080$/)
    } finally {
      await runtime.stop()
      podman.run('rm', '-f', '-t', '0', own)
      podman.run('network', 'rm', 'hedgerow-own')
    }
  })

  it('is out of reach for a daemon in a container of another engine, which is said', async () => {
    await runtime.stop()
    const own = { id: 'f'.repeat(64), certain: true }
    runtime = new TestRuntime(log => createEngine({ socket: podman.socket, env: {}, own, log }))
    const instance = host()
    await failed(instance)
    assert.match(lastError(instance), /mount the socket of the engine that runs it/)
  })

  describe('of a worker', function () {
    this.timeout(120_000)
    let folder: string
    let worker: Worker | undefined
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'hedgerow-worker-'))
      const manifest = {
        name: 'boxed',
        version: '1.0.0',
        title: 'A service in a container',
        replicas: 'everywhere',
        backend: container(),
        health: { interval_s: 0.5 },
        operations: [{ method: '*', path: '/*', idempotent: true }]
      }
      writeFileSync(join(folder, 'boxed.yaml'), JSON.stringify(manifest))
    })
    afterEach(async () => {
      await worker?.stop()
      worker = undefined
      rmSync(folder, { recursive: true, force: true })
    })
    const start = async (env: Record<string, string> = {}): Promise<Worker> => {
      worker = await Worker.start(folder, podman.socket, env)
      return worker
    }
    const serves = async ({ url }: Worker): Promise<void> => {
      await eventually('it serves', async () => (await fetch(`${url}/service/boxed/env`)).ok)
    }

    it('starts when it is assigned, and ends after the last byte of what it has in hand', async () => {
      const running = await start()
      await serves(running)
      const placement = await (await fetch(`${running.url}/api/admin/placement`)).json()
      assert.match(placement.containers.engine, /^Podman \d/)
      const slow = await fetch(`${running.url}/service/boxed/trickle?n=50`)
      const stopped = running.stop()
      assert.equal((await slow.text()).length, 50)
      await stopped
      assert.deepEqual(podman.containers(), [])
    })

    it('that was killed leaves a container that its next life removes', async () => {
      const first = await start()
      await serves(first)
      const [left] = podman.containers()
      await first.kill()
      assert.deepEqual(podman.containers(false), [left])
      // Not even when the service isn't wanted any more.
      rmSync(join(folder, 'boxed.yaml'))
      await start()
      await eventually('it is removed', async () => podman.containers().length === 0)
    })

    it('answers chats with the catalogue and nothing else', async () => {
      rmSync(join(folder, 'boxed.yaml'))
      const running = await start({
        HEDGEROW_CATALOGUE: 'ollama',
        // The image can't be had here; the manifest is the one that ships.
        HEDGEROW_OLLAMA_IMAGE: IMAGE,
        HEDGEROW_OLLAMA_MODEL: 'tiny:1b',
        HEDGEROW_FORBID_SERVICES: 'vision-ocr,document-processing,rag-embeddings,notes-coa,ner-extraction'
      })
      let answer = ''
      await eventually('it chats', async () => {
        const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] })
        const headers = { 'content-type': 'application/json' }
        const response = await fetch(`${running.url}/v1/chat/completions`, { method: 'POST', headers, body })
        answer = await response.text()
        return response.ok
      })
      assert.equal(JSON.parse(answer).choices[0].message.content, 'a stand-in for tiny:1b')
      await running.stop()
      assert.deepEqual(podman.containers(), [])
    })

    it('without an engine is not assigned, with the reason, and is as soon as there is one', async () => {
      await podman.stopService()
      try {
        const running = await start()
        await eventually('it is decided', async () => {
          const { placement } = await (await fetch(`${running.url}/api/admin/placement`)).json()
          const decision = placement.find(({ service }: { service: string }) => service === 'boxed')
          return decision?.reason === 'not-eligible' && /no container engine/.test(decision.detail)
        })
        await eventually('everything else works', async () => {
          const { services, containers } = await (await fetch(`${running.url}/health`)).json()
          return services.includes('ner-extraction') && containers.state === 'none'
        })
        await podman.startService()
        await serves(running)
      } finally {
        await podman.startService()
      }
    })
  })
})
