import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import { describeEngine } from '../src/containers/describe.ts'
import { explainFailure } from '../src/containers/failure.ts'
import {
  createEngine,
  exposedBy,
  imageReference,
  judgeAnswers,
  planContainer,
  removeContainers
} from '../src/containers/index.ts'
import { findOwnContainer } from '../src/containers/own-container.ts'
import { enginePlaces, parsePlace } from '../src/containers/places.ts'
import { PullProgress, pullImage } from '../src/containers/pull.ts'
import { reachOver } from '../src/containers/reach.ts'
import { type ContainerSpec, formatManifestError, loadManifests, parseManifest } from '../src/manifest/index.ts'
import { whyNotEligible } from '../src/placement/index.ts'
import { splitOutput } from '../src/runtime/frames.ts'
import { CATALOGUE, catalogueFiles, llmServerUrl } from '../src/services/index.ts'

const log = pino({ level: 'silent' })
const DOCKER = { name: 'Docker', version: '27.1.0', gpu: 'nvidia', swapLimit: true } as const
const PODMAN = { name: 'Podman', version: '5.4.0', gpu: 'cdi', swapLimit: true } as const
const PEER = '12D3KooWAbcdefghijk'

function parse(container: Record<string, unknown>, over: Record<string, unknown> = {}, env = {}) {
  const document = {
    name: 'boxed',
    version: '1.0.0',
    title: 'A service in a container',
    backend: { container: { image: 'example.org/boxed:1', port: 80, ...container } },
    operations: [{ method: '*', path: '/*' }],
    ...over
  }
  return parseManifest(JSON.stringify(document, null, 1), { file: 'boxed.yaml', folder: '/', env })
}

function spec(container: Record<string, unknown> = {}, over = {}, env = {}): ContainerSpec {
  const manifest = parse(container, over, env)
  if (Array.isArray(manifest)) throw new Error(manifest.map(formatManifestError).join('\n'))
  return manifest.backend.type === 'container' ? manifest.backend : assert.fail()
}

function errors(container: Record<string, unknown>, over = {}): string {
  const found = parse(container, over)
  return Array.isArray(found) ? found.map(({ field, message }) => `${field}: ${message}`).join('\n') : ''
}

const plan = (given: ContainerSpec, over: Partial<Parameters<typeof planContainer>[0]> = {}) =>
  planContainer({
    manifest: { contract: { name: 'boxed' } as never },
    spec: given,
    info: DOCKER,
    reach: { kind: 'loopback' },
    peerId: PEER,
    run: 'r',
    ...over
  })

describe('the manifest of a container', () => {
  it('has the limits of its needs, and no rights, where it says nothing', () => {
    assert.deepEqual(spec({}, { needs: { cores: 2, memory_mb: 512 } }), {
      type: 'container',
      image: 'example.org/boxed:1',
      port: 80,
      env: {},
      volumes: [],
      tmpfs: [],
      gpu: 'none',
      memory: 512,
      cores: 2,
      pids: 2048,
      readOnly: false,
      capAdd: [],
      pull: 'missing',
      stop: 10_000
    })
    assert.equal(spec({}, { needs: { gpu: true } }).gpu, 'all')
    assert.equal(spec({ gpu: 2 }, { needs: { gpu: true } }).gpu, 2)
  })

  it('takes variables of the daemon in image, command and env', () => {
    const given = spec(
      { image: `\${IMAGE:-a/b:1}`, command: ['--key', `\${KEY}`], entrypoint: ['sh'], env: { K: `\${KEY}`, N: 1 } },
      {},
      { KEY: 'x' }
    )
    assert.equal(given.image, 'a/b:1')
    assert.deepEqual(given.command, ['--key', 'x'])
    assert.deepEqual(given.entrypoint, ['sh'])
    assert.deepEqual(given.env, { K: 'x', N: '1' })
    assert.match(errors({ env: { K: `\${MISSING}` } }), /env\.K: the variable MISSING is not set/)
  })

  it('has volumes as Compose writes them', () => {
    assert.deepEqual(spec({ volumes: ['data:/data', 'models:/m:ro', '/srv/x:/x:ro'] }).volumes, [
      { name: 'data', target: '/data', readOnly: false },
      { name: 'models', target: '/m', readOnly: true },
      { hostPath: '/srv/x', target: '/x' }
    ])
    assert.match(
      errors({ volumes: ['/srv:/srv'] }),
      /volumes\[0\]: a folder of the host can only be read: write \/srv:\/srv:ro/
    )
    for (const path of [
      '/',
      '/var',
      '/run/',
      '/var/run/docker.sock',
      '/srv/../run/podman',
      '/home/u/.docker/run/docker.sock'
    ])
      assert.match(errors({ volumes: [`${path}:/x:ro`] }), /holds sockets/, path)
    for (const path of ['/var/lib/x', '/running', '/srv'])
      assert.equal(errors({ volumes: [`${path}:/x:ro`] }), '', path)
    assert.match(errors({ volumes: ['a:/x', 'b:/x'] }), /volumes\[1\]: \/x is taken by volumes\[0\]/)
    for (const wrong of ['data', 'data:x', '../up:/x', './here:/x', 'a:/x:z', 'a b:/x'])
      assert.match(errors({ volumes: [wrong] }), /must be name:\/path/, wrong)
  })

  it('says what is wrong with it', () => {
    assert.match(errors({ privileged: true }), /privileged: is not a field of a manifest; known here: image, port/)
    assert.match(errors({ network_mode: 'host' }), /network_mode: is not a field/)
    assert.match(errors({ volume: [] }), /did you mean volumes\?/)
    assert.match(errors({ port: 0 }), /port: must be >= 1/)
    assert.match(errors({ port: '80' }), /port: must be a whole number/)
    assert.match(errors({ cap_add: ['sys_admin'] }), /a capability such as CHOWN/)
    assert.match(errors({ pull: 'sometimes' }), /backend\.container\.pull/)
    assert.match(errors({ gpu: 'some' }), /backend\.container\.gpu/)
    assert.match(errors({ stop_s: 60 }), /stop_s: must be <= 15/)
    assert.match(errors({ env: { HEDGEROW_X: '1' } }), /env\.HEDGEROW_X: is set by the daemon/)
    assert.match(errors({ gpu: 'all' }, { needs: { gpu: false } }), /gpu: asks for a GPU, but needs\.gpu is false/)
    assert.match(errors({}, { state: { keyed: 'k' } }), /state: is a folder for a process/)
  })
})

describe('a container as an engine is asked for it', () => {
  it('has no right that its manifest does not name', () => {
    const { options } = plan(spec())
    const { HostConfig: host } = options
    assert.deepEqual(host?.CapDrop, ['ALL'])
    assert.deepEqual(host?.CapAdd, [])
    assert.deepEqual(host?.SecurityOpt, ['no-new-privileges'])
    assert.equal(host?.Privileged, false)
    assert.equal(host?.NetworkMode, undefined)
    assert.deepEqual(host?.PortBindings, { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] })
    assert.deepEqual(options.Labels, { 'hedgerow.service': 'boxed', 'hedgerow.peer': PEER, 'hedgerow.run': 'r' })
    assert.equal(options.name, 'hedgerow-boxed-bcdefghijk')
  })

  it('has volumes of its own service and peer, and folders of the host to read', () => {
    const { options } = plan(spec({ volumes: ['data:/data', '/srv:/srv:ro'] }))
    const [own, host] = options.HostConfig?.Mounts ?? []
    assert.equal(own?.Source, 'hedgerow-boxed-bcdefghijk-data')
    assert.deepEqual(host, { Type: 'bind', Source: '/srv', Target: '/srv', ReadOnly: true })
  })

  it('is beside a daemon that is a container, with a name there, and is not published', () => {
    const reach = { kind: 'networks', names: ['mesh_default', 'bridge'] } as const
    const { options, furtherNetworks } = plan(spec({ host_port: 5000 }), { reach })
    assert.equal(options.HostConfig?.NetworkMode, 'mesh_default')
    assert.equal(options.HostConfig?.PortBindings, undefined)
    assert.deepEqual(options.NetworkingConfig?.EndpointsConfig, { mesh_default: { Aliases: ['boxed'] } })
    assert.deepEqual(furtherNetworks, ['bridge'])
    // Docker has no names in its default network, and refuses to be asked for one.
    const plain = plan(spec(), { reach: { kind: 'networks', names: ['bridge'] } })
    assert.equal(plain.options.NetworkingConfig, undefined)
  })

  it('gets GPUs in the way of its engine', () => {
    const requests = (gpu: unknown, info: Parameters<typeof planContainer>[0]['info']) =>
      plan(spec({ gpu }), { info }).options.HostConfig?.DeviceRequests
    const { gpu: _none, ...without } = DOCKER
    assert.deepEqual(requests('all', DOCKER), [{ Driver: '', Count: -1, Capabilities: [['gpu']] }])
    assert.deepEqual(requests(2, DOCKER), [{ Driver: '', Count: 2, Capabilities: [['gpu']] }])
    assert.deepEqual(requests(2, PODMAN), [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=0', 'nvidia.com/gpu=1'] }])
    assert.deepEqual(requests('auto', PODMAN), [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] }])
    assert.equal(requests('auto', without), undefined)
    assert.equal(requests('none', DOCKER), undefined)
  })

  it('has no limits where its manifest says 0, and none on swap where the engine knows none', () => {
    const host = plan(spec({ memory_mb: 0, cores: 0 })).options.HostConfig
    assert.equal(host?.Memory ?? host?.NanoCpus, undefined)
    const old = plan(spec({ memory_mb: 64 }), { info: { ...DOCKER, swapLimit: false } }).options.HostConfig
    assert.deepEqual([old?.Memory, old?.MemorySwap], [64 * 1024 * 1024, undefined])
  })

  it('is of one tag', () => {
    assert.deepEqual(['a/b', 'a/b:1', 'localhost:5000/a', 'a@sha256:0'].map(imageReference), [
      'a/b:latest',
      'a/b:1',
      'localhost:5000/a:latest',
      'a@sha256:0'
    ])
  })
})

describe("the engine's own socket", () => {
  it('comes into no container with a folder, nor with a link to it', async () => {
    const home = mkdtempSync(join(tmpdir(), 'hedgerow-socket-'))
    try {
      mkdirSync(join(home, 'engine'))
      mkdirSync(join(home, 'models'))
      const socket = join(home, 'engine/podman.socket')
      writeFileSync(socket, '')
      symlinkSync(home, join(home, 'models/link'))
      for (const [folder, isExposed] of [
        [home, true],
        ['/', true],
        [join(home, 'engine'), true],
        [join(home, 'models/../engine/'), true],
        [join(home, 'models/link'), true],
        [socket, true],
        [join(home, 'models'), false],
        [join(home, 'eng'), false],
        [join(home, 'nothing'), false]
      ] as const) {
        const volumes = [
          { hostPath: folder, target: '/x' },
          { name: 'data', target: '/data', readOnly: false }
        ]
        assert.equal(await exposedBy({ volumes }, socket), isExposed ? folder : undefined, folder)
        assert.equal(await exposedBy({ volumes }, 'http://127.0.0.1:2375'), undefined)
      }
    } finally {
      rmSync(home, { recursive: true })
    }
  })
})

describe('what an earlier life left behind', () => {
  it('is known by its name as well as by its labels, which an image may bring along', async () => {
    const removed: string[] = []
    const container = (Id: string, name: string) => ({
      Id,
      Names: [`/${name}`],
      Labels: { 'hedgerow.service': 'boxed', 'hedgerow.peer': PEER }
    })
    const docker = {
      listContainers: async () => [
        container('ours', plan(spec()).options.name ?? ''),
        container('theirs', 'work-of-a-year')
      ],
      getContainer: (id: string) => ({
        stop: async () => {},
        async remove() {
          removed.push(id)
        }
      })
    }
    assert.equal(await removeContainers(docker as never, { peerId: PEER }), 1)
    assert.deepEqual(removed, ['ours'])
  })
})

describe('a container engine', () => {
  it('is looked for where its owner says, else in the usual places', () => {
    assert.deepEqual(enginePlaces('off', {}), [])
    assert.deepEqual(enginePlaces('/run/x.sock', { DOCKER_HOST: 'tcp://a:1' }), [{ path: '/run/x.sock' }])
    assert.deepEqual(enginePlaces(undefined, { DOCKER_HOST: 'unix:///y.sock' }), [{ path: '/y.sock' }])
    assert.deepEqual(enginePlaces(undefined, { DOCKER_HOST: 'tcp://proxy' }), [{ url: 'http://proxy:2375' }])
    assert.deepEqual(enginePlaces(undefined, { DOCKER_HOST: 'ssh://host' }), { unusable: 'ssh://host' })
    const usual = enginePlaces(undefined, { HOME: '/home/u', XDG_RUNTIME_DIR: '/run/user/1' }, 'linux')
    assert.deepEqual(Array.isArray(usual) ? usual.map(place => ('path' in place ? place.path : '')) : [], [
      '/var/run/docker.sock',
      '/home/u/.docker/run/docker.sock',
      '/run/user/1/docker.sock',
      '/run/user/1/podman/podman.sock',
      '/run/podman/podman.sock'
    ])
    assert.deepEqual(parsePlace('npipe:////./pipe/docker_engine'), { path: '\\\\.\\pipe\\docker_engine' })
    for (const wrong of ['', 'docker.sock', 'unix://host/x', 'http://u:p@host', 'https://host'])
      assert.equal(parsePlace(wrong), undefined, wrong)
  })

  it('says what it is', () => {
    const version = { Version: '27.1.0', ApiVersion: '1.46', Components: [{ Name: 'Engine' }] }
    assert.deepEqual(describeEngine(version, { Runtimes: { nvidia: {} }, SwapLimit: true }, []), DOCKER)
    assert.equal(describeEngine(version, { DiscoveredDevices: [{ ID: 'nvidia.com/gpu=0' }] }, [])?.gpu, 'cdi')
    const podman = { Version: '5.4.0', ApiVersion: '1.41', Components: [{ Name: 'Podman Engine' }] }
    assert.deepEqual(describeEngine(podman, { SwapLimit: true }, ['nvidia.yaml']), PODMAN)
    assert.equal(describeEngine(podman, {}, [])?.gpu, undefined)
    for (const nonsense of [undefined, null, 'OK', [], {}, { Version: 1, ApiVersion: 2 }])
      assert.equal(describeEngine(nonsense, nonsense, []), undefined)
    assert.equal(describeEngine({ ...version, Version: `\u001b[31m${'9'.repeat(99)}` }, {}, [])?.version.length, 40)
  })

  it('that is missing, refuses, or is down has a reason and a fix each', () => {
    const at = (code: string | number) =>
      judgeAnswers([
        { place: '/a', code: 'ENOENT' },
        { place: '/b', code }
      ])
    const told = ['ENOENT', 'EACCES', 'ECONNREFUSED', 'ETIMEDOUT', 403, 500].map(code => {
      const verdict = at(code)
      return verdict.state === 'ready' ? '' : `${verdict.state}: ${verdict.found}`
    })
    assert.deepEqual(told, [
      'none: no container engine: nothing at /a, /b',
      'failed: /b may not be used by this user',
      'failed: no engine answers at /b (ECONNREFUSED)',
      'failed: no engine answers at /b (ETIMEDOUT)',
      'failed: /b answers, but refuses',
      'failed: no engine answers at /b (500)'
    ])
  })

  it('is not asked where it is off, and not on another machine', async () => {
    const off = createEngine({ socket: 'off', env: {}, log })
    await off.start()
    assert.equal(off.status.state, 'off')
    await assert.rejects(off.need(), /HEDGEROW_DOCKER_SOCKET=off/)
    off.stop()
    assert.throws(() => reachOver(['none']), /in no network/)
    assert.deepEqual(reachOver(['host']), { kind: 'loopback' })
    assert.deepEqual(reachOver(['bridge', 'own']), { kind: 'networks', names: ['own', 'bridge'] })
  })

  it('that goes away and comes back is noticed', async () => {
    const socket = join(tmpdir(), `hedgerow-engine-${process.pid}.sock`)
    const answers: Record<string, unknown> = {
      '/_ping': 'OK',
      '/version': { Version: '27.1.0', ApiVersion: '1.46' },
      '/info': {}
    }
    const listen = async () => {
      const server = createServer(({ url = '' }, response) => response.end(JSON.stringify(answers[url])))
      await new Promise<void>(resolve => server.listen(socket, resolve))
      return server
    }
    const engine = createEngine({ socket, env: {}, interval: 20, log })
    const turns: string[] = []
    let turned = Promise.withResolvers<void>()
    engine.addListener(() => {
      turns.push(engine.status.state)
      turned.resolve()
    })
    const turn = async () => {
      await turned.promise
      turned = Promise.withResolvers()
    }
    try {
      const server = await listen()
      await engine.start()
      await turn()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await turn()
      const again = await listen()
      await turn()
      again.closeAllConnections()
      again.close()
      assert.deepEqual(turns, ['ready', 'none', 'ready'])
    } finally {
      engine.stop()
    }
  })

  it('is told whose container this daemon is', async () => {
    const root = mkdtempSync(join(tmpdir(), 'hedgerow-own-'))
    const id = 'ab'.repeat(32)
    const mounts = (line: string) => {
      mkdirSync(join(root, 'proc/self'), { recursive: true })
      writeFileSync(join(root, 'proc/self/mountinfo'), `22 1 0:5 / /proc rw - proc proc rw\n${line}\n`)
      return findOwnContainer(root, '0123456789ab')
    }
    try {
      const docker = `700 600 8:1 /var/lib/docker/containers/${id}/hosts /etc/hosts rw - ext4 /dev/sda1 rw`
      assert.deepEqual(await mounts(docker), { id, certain: true })
      const podman = `700 600 0:25 /containers/overlay-containers/${id}/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw`
      assert.deepEqual(await mounts(podman), { id, certain: true })
      // A host sees the mounts of its containers.
      const host = `700 600 0:4 / /var/lib/docker/containers/${id}/mounts/shm rw - tmpfs shm rw`
      assert.deepEqual(await mounts(host), { certain: false })
      writeFileSync(join(root, '.dockerenv'), '')
      assert.deepEqual(await mounts(host), { id: '0123456789ab', certain: false })
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('refuses in words that say what to do', () => {
    const refusal = (message: string) =>
      Object.assign(new Error('(HTTP code 500)'), { statusCode: 500, json: { message } })
    const told = (message: string) => explainFailure(refusal(message), 'cannot start', 5432).message
    assert.match(told('could not select device driver "" with capabilities: [[gpu]]'), /NVIDIA container toolkit/)
    assert.match(told('driver failed: bind for 127.0.0.1:5432 failed: port is already allocated'), /port 5432 of this/)
    assert.match(told('x'.repeat(10_000)), /^cannot start: x{500}$/)
  })
})

describe('pulling an image', () => {
  it('adds up its layers, and ends with the error that it is told', () => {
    const progress = new PullProgress()
    const layer = (id: string, current: number, total: number) =>
      progress.add(JSON.stringify({ id, status: 'Downloading', progressDetail: { current, total } }))
    layer('a', 1024 * 1024, 2 * 1024 * 1024)
    layer('b', 0, 8 * 1024 * 1024)
    layer('a', 2 * 1024 * 1024, 2 * 1024 * 1024)
    for (const line of ['', '{', '[]', '{"id":1}', '{"id":"c","progressDetail":{"total":-1}}']) progress.add(line)
    assert.deepEqual(progress.report(), { layers: 2, done_mb: 2, of_mb: 10 })
    assert.throws(() => progress.add('{"error":"manifest unknown"}'), /manifest unknown/)
    for (let i = 0; i < 1000; i++) layer(`l${i}`, 0, 1)
    assert.equal(progress.report().layers, 512)
  })

  it('ends when it is not wanted any more', async () => {
    const controller = new AbortController()
    const docker = { pull: async () => new Readable({ read() {} }) }
    const { signal } = controller
    const pulling = pullImage({ docker: docker as never, image: 'a:1', log, signal, now: () => 0 })
    controller.abort(new Error('not wanted'))
    await assert.rejects(pulling, /not wanted/)
  })
})

describe("a container's output", () => {
  it('is taken apart, wherever it is cut', async () => {
    const frame = (stream: number, text: string) => {
      const header = Buffer.alloc(8)
      header[0] = stream
      header.writeUInt32BE(Buffer.byteLength(text), 4)
      return Buffer.concat([header, Buffer.from(text)])
    }
    const all = Buffer.concat([
      frame(1, 'out 1\n'),
      frame(2, 'err 1\n'),
      frame(1, ''),
      frame(1, 'out 2\n'),
      frame(2, 'é\n')
    ])
    for (const size of [1, 3, 7, 8, 9, 1000]) {
      const pieces: Buffer[] = []
      for (let i = 0; i < all.length; i += size) pieces.push(all.subarray(i, i + size))
      const { stdout, stderr } = splitOutput(Readable.from(pieces))
      const [out, err] = await Promise.all([stdout.toArray(), stderr.toArray()])
      assert.equal(Buffer.concat(out).toString(), 'out 1\nout 2\n')
      assert.equal(Buffer.concat(err).toString(), 'err 1\né\n')
    }
  })

  it('that breaks off ends', async () => {
    const source = Readable.from([Buffer.from([1, 0, 0, 0, 0, 0, 0, 9, 65])])
    const { stdout } = splitOutput(source)
    assert.equal(Buffer.concat(await stdout.toArray()).toString(), 'A')
  })
})

describe('the catalogue', () => {
  const SECRETS = { HEDGEROW_POSTGRES_PASSWORD: 'secret1', HEDGEROW_MINIO_PASSWORD: 'secret22' }
  const names = readdirSync(CATALOGUE).sort()
  const load = async (env: Record<string, string>) => loadManifests(await catalogueFiles(CATALOGUE, names), { env })

  it('has what its documentation says, and every entry is a good manifest', async () => {
    assert.deepEqual(names, ['chroma', 'minio', 'ollama', 'postgresql', 'vllm'])
    const { manifests, errors: wrong } = await load(SECRETS)
    assert.deepEqual(wrong.map(formatManifestError), [])
    for (const { contract, backend, everywhere, needs } of manifests) {
      assert.ok(names.includes(contract.name))
      assert.ok(backend.type === 'container', contract.name)
      assert.match(backend.image, /^[a-z0-9.]+\.[a-z]+\/.+:[A-Za-z]*\.?v?\d/, 'a registry and a fixed tag')
      assert.doesNotMatch(backend.image, /latest/)
      // A second worker that stood in would do so with an empty volume.
      assert.equal(everywhere, true)
      assert.ok(backend.volumes.length > 0 && needs.disk > 0)
      assert.deepEqual(backend.capAdd, [])
    }
    const protocols = manifests.map(({ contract }) => `${contract.name} ${contract.protocol}`)
    assert.deepEqual(protocols.sort(), ['chroma tcp', 'minio tcp', 'ollama http', 'postgresql tcp', 'vllm http'])
    for (const { contract, backend } of manifests) {
      const given = backend.type === 'container' ? Object.values(backend.env) : []
      if (contract.name === 'postgresql') assert.ok(given.includes('secret1'))
      if (contract.name === 'minio') assert.ok(given.includes('secret22'))
    }
  })

  it('says which secret is missing', async () => {
    const { errors: wrong } = await load({})
    assert.deepEqual(wrong.map(({ field, message }) => `${field}: ${message.split(';')[0]}`).sort(), [
      'backend.container.env.MINIO_ROOT_PASSWORD: the variable HEDGEROW_MINIO_PASSWORD is not set',
      'backend.container.env.POSTGRES_PASSWORD: the variable HEDGEROW_POSTGRES_PASSWORD is not set'
    ])
  })

  it('has no entry of another name', async () => {
    await assert.rejects(catalogueFiles(CATALOGUE, ['olama']), /the catalogue has no olama; did you mean ollama\?/)
    await assert.rejects(catalogueFiles(CATALOGUE, ['..']), /there are: chroma, minio/)
  })

  it('tells llm-inference where its server of models is', async () => {
    const { manifests } = await load(SECRETS)
    const only = (...wanted: string[]) => manifests.filter(({ contract }) => wanted.includes(contract.name))
    assert.equal(llmServerUrl(only('ollama', 'minio'), 'loopback'), 'http://127.0.0.1:11434')
    assert.equal(llmServerUrl(only('vllm'), 'loopback'), 'http://127.0.0.1:18000')
    assert.equal(llmServerUrl(only('vllm'), 'networks'), 'http://vllm:8000')
    assert.equal(llmServerUrl(only('minio'), 'loopback'), undefined)
  })
})

describe('what a machine lacks for a service', () => {
  const capabilities = {
    cores: 2,
    memory: 4096,
    disk: 10_000,
    gpus: [{ model: 'x', memory: 8000 }],
    arch: 'x64',
    platform: 'linux'
  }
  const needs = { cores: 1, memory: 100, disk: 0, gpu: false, gpuMemory: 0 }
  const why = (over: object, tier: 'cpu' | 'storage' = 'cpu', unable?: Map<string, string>) =>
    whyNotEligible(
      { name: 'x', tier, replicas: 1, everywhere: false, needs: { ...needs, ...over } },
      { tiers: ['cpu'], capabilities, ...(unable == null ? {} : { unable }) }
    ) ?? ''

  it('is said', () => {
    assert.equal(why({}), '')
    assert.match(why({ cores: 3 }), /needs 3 cores of 2/)
    assert.match(why({ memory: 4000 }), /needs 4000 MiB of memory, of 3276/)
    assert.match(why({ disk: 20_000 }), /needs 20000 MiB of disk/)
    assert.match(why({ gpu: true, gpuMemory: 9000 }), /a GPU with 9000 MiB/)
    assert.match(why({}, 'storage'), /for workers of type storage/)
    assert.equal(why({}, 'cpu', new Map([['x', 'no engine']])), 'no engine')
  })
})
