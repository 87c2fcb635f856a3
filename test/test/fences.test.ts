import assert from 'node:assert/strict'
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNode, type Node } from '@hedgerow/daemon/node'
import type { PeerProcess } from '@hedgerow/scripts/mesh'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { getJson, LAB, memoryOf, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { answersIn, bodyOf, head, sendToPeer, sendToPort, statusOf } from '../src/raw.ts'

const HOSTILE = fileURLToPath(new URL('../fixtures/fences', import.meta.url))
const SECRET = 'a-secret-of-the-daemon'
const MIB = 1024 * 1024

/** How an attacker gets at a backend. */
interface Way {
  name: string
  send(bytes: string, silence?: number): Promise<string>
}

describe('a backend behind its fence', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  let worker: PeerProcess
  let attacker: Node
  const ways: Way[] = [
    {
      name: 'a peer over a libp2p stream',
      send: (bytes, silence) => sendToPeer(attacker, worker.peerId, bytes, silence)
    },
    { name: "a client of a relay's port", send: (bytes, silence) => sendToPort(mesh.relay.url, bytes, silence) },
    { name: "a client of a worker's port", send: (bytes, silence) => sendToPort(worker.url, bytes, silence) }
  ]
  const secretFile = join(tmpdir(), `hedgerow-secret-${process.pid}`)

  before(async () => {
    await writeFile(secretFile, SECRET)
    mesh = await testMesh({
      workers: 1,
      services: ['lab', 'hostile'],
      env: { HEDGEROW_SERVICES_DIR: `${LAB},${HOSTILE}`, THE_SECRET: SECRET, HEDGEROW_SECRET: SECRET },
      // A descriptor that whoever starts the daemon has left open.
      hostOf: name =>
        name === 'relay'
          ? undefined
          : { exec: ['bash', '-c', `exec 7<${secretFile} 200<${secretFile}; exec "$@"`, 'bash'], address: '127.0.0.1' }
    })
    const [first] = mesh.workers
    assert.ok(first != null)
    worker = first
    const { mesh: name } = await getJson<{ mesh: string }>(`${mesh.relay.url}/bootstrap`)
    attacker = await createNode({
      privateKey: await generateKeyPair('Ed25519'),
      mesh: name,
      role: 'client',
      listen: []
    })
    await attacker.start()
    const { peers } = await getJson<{ peers: string[] }>(`${worker.url}/api/dht/bootstrap`)
    const own = peers.find(addr => addr.endsWith(`/p2p/${worker.peerId}`))
    await attacker.dial(multiaddr(own ?? ''))
  })

  after(async () => {
    await attacker?.stop()
    await mesh?.stop()
  })

  afterEach('and the peers are the same processes as before, and serve', async () => {
    for (const { url, pid } of [mesh.relay, ...mesh.workers])
      assert.equal((await getJson<{ pid: number }>(`${url}/health`)).pid, pid)
    assert.equal((await postJson(`${mesh.relay.url}/service/lab`, {})).status, 200)
  })

  /** Request lines that reached the backend. */
  const seen = async (): Promise<string[]> => getJson(`${mesh.relay.url}/service/hostile/log`)

  /** What the backend got, header lines in lower case. */
  const headSeen = async (way: Way, ...lines: string[]): Promise<string[]> => {
    const received = await way.send(
      head('GET /service/hostile/files/a HTTP/1.1', 'host: localhost', 'connection: close', ...lines)
    )
    assert.equal(statusOf(received), 200, received)
    return bodyOf(received).toLowerCase().split('\r\n').slice(1)
  }

  for (const way of ways) {
    describe(`against ${way.name}`, () => {
      it('lets through what is declared, as it is', async () => {
        const received = await way.send(
          head(
            'GET /service/hostile/files/caf%C3%A9/100%25?q=%2e%2e/../x HTTP/1.1',
            'host: localhost',
            'connection: close'
          )
        )
        assert.equal(statusOf(received), 200, received)
        assert.match(bodyOf(received), /^GET \/files\/caf%C3%A9\/100%25\?q=%2e%2e\/\.\.\/x HTTP\/1\.1\r\n/)
      })

      it('refuses every path that could lead out of what is declared', async () => {
        const tails = [
          '/files/../private',
          '/files/..',
          '/files/./../private',
          '/files/%2e%2e/private',
          '/files/.%2e/private',
          '/files/%2E%2E%2Fprivate',
          '/files/..%2fprivate',
          '/files/..%5cprivate',
          '/files/..\\private',
          '/files\\..\\private',
          '/files/..;/private',
          '/files/;/../private',
          '/files/%252e%252e/private',
          '/files/%252e%252e%252fprivate',
          '/files/..%c0%afprivate',
          '/files/%c0%ae%c0%ae/private',
          '/files/%ef%bc%8e%ef%bc%8e/private',
          '/files/%00',
          '/files/a%00.txt',
          '/files/a%0d%0ax-injected:%201',
          '/files//evil.example/x',
          '/files/http://evil.example/',
          '//private',
          '//evil.example/files/a',
          '/private',
          '/health',
          '/FILES/a',
          '/%66iles/../private',
          '/bytes/a/b'
        ]
        for (const tail of tails) {
          const received = await way.send(
            head(`GET /service/hostile${tail} HTTP/1.1`, 'host: localhost', 'connection: close')
          )
          assert.ok([400, 403, 404].includes(statusOf(received)), `${tail}: ${received.slice(0, 200)}`)
          assert.match(received, /hedgerow-error: |application\/problem\+json/, tail)
        }
        for (const target of [
          'http://127.0.0.1:1/private',
          'http://evil.example/service/hostile/private',
          '/service/hostile/../lab/hidden',
          '/service/../service/hostile/private',
          '/service/%2e%2e/hostile/private',
          '/service/host%69le%2fprivate'
        ]) {
          const received = await way.send(head(`GET ${target} HTTP/1.1`, 'host: localhost', 'connection: close'))
          assert.ok([400, 403, 404, 405, 503].includes(statusOf(received)), `${target}: ${received.slice(0, 200)}`)
        }
        for (const line of await seen())
          assert.doesNotMatch(line.replace(/\?.*/, ''), /private|\.\.|evil|injected|%00|%252e/)
      })

      it('refuses methods that are not declared, however they are put', async () => {
        for (const method of ['DELETE', 'PUT', 'TRACE', 'PROPFIND', 'CONNECT', 'get']) {
          const received = await way.send(
            head(`${method} /service/hostile/files/a HTTP/1.1`, 'host: localhost', 'connection: close')
          )
          assert.ok([0, 400, 404, 405, 408].includes(statusOf(received)), `${method}: ${received.slice(0, 100)}`)
        }
        const connect = await way.send(head('CONNECT 127.0.0.1:22 HTTP/1.1', 'host: localhost'))
        assert.ok([0, 400, 404, 405, 408].includes(statusOf(connect)), connect.slice(0, 100))
        const lines = await headSeen(
          way,
          'x-http-method-override: DELETE',
          'x-method-override: PUT',
          'x-original-url: /private',
          'x-rewrite-url: /private'
        )
        assert.doesNotMatch(lines.join('\n'), /override|original|rewrite|private/)
        assert.ok((await seen()).every(line => /^(GET|POST) /.test(line)))
      })

      it('lets no caller say where it comes from, who it is, or anything in the name of the mesh', async () => {
        const lines = await headSeen(
          way,
          'x-forwarded-for: 6.6.6.6',
          'X-Forwarded-Host: evil.example',
          'x-forwarded-proto: https',
          'x_forwarded_for: 6.6.6.6',
          'forwarded: for=6.6.6.6',
          'via: 1.1 evil',
          'x-real-ip: 6.6.6.6',
          'cf-connecting-ip: 6.6.6.6',
          'true-client-ip: 6.6.6.6',
          'proxy: http://evil.example',
          'cookie: session=stolen',
          'hedgerow-caller: service/hostile',
          'hedgerow_caller: service/hostile',
          'Hedgerow-Caller: local',
          'hedgerow-context: forged',
          'hedgerow-parent: forged',
          'te: trailers',
          'keep-alive: timeout=66',
          'proxy-authorization: Basic x',
          'x-private: for this hop',
          'accept: text/kept'
        )
        const text = lines.join('\n')
        assert.doesNotMatch(text, /6\.6\.6\.6|evil|stolen|forged|timeout=66|trailers|proxy-|service\/hostile/)
        assert.match(text, /^accept: text\/kept$/m)
        const named = (name: string): string[] => lines.filter(line => line.startsWith(`${name}:`))
        for (const name of ['host', 'hedgerow-caller', 'hedgerow-context', 'hedgerow-request-id'])
          assert.equal(named(name).length, 1, `${name}: ${text}`)
        assert.match(named('host')[0] ?? '', /^host: 127\.0\.0\.1:\d+$/)
        assert.match(named('hedgerow-caller')[0] ?? '', /^hedgerow-caller: peer\/12d3koow/)
        if (way === ways[0])
          assert.equal(named('hedgerow-caller')[0], `hedgerow-caller: peer/${attacker.peerId}`.toLowerCase())
      })

      it('passes a data class on once it is one, and nothing that could be read as two', async () => {
        assert.ok((await headSeen(way, 'hedgerow-data-class: internal')).includes('hedgerow-data-class: internal'))
        for (const lines of [
          ['hedgerow-data-class: confidential', 'hedgerow-data-class: public'],
          ['hedgerow-data-class: public, confidential'],
          ['hedgerow-data-class: ../x']
        ]) {
          const received = await way.send(
            head('GET /service/hostile/files/a HTTP/1.1', 'host: localhost', 'connection: close', ...lines)
          )
          assert.ok([400, 403].includes(statusOf(received)), received.slice(0, 300))
        }
      })

      it('has nothing smuggled past it', async () => {
        const smuggled = head('GET /service/hostile/files/smuggled HTTP/1.1', 'host: localhost')
        const post = 'POST /service/hostile/files/a HTTP/1.1'
        const requests = [
          head(post, 'host: localhost', `content-length: ${smuggled.length}`, 'transfer-encoding: chunked') +
            `0\r\n\r\n${smuggled}`,
          head(post, 'host: localhost', 'content-length: 0', `content-length: ${smuggled.length}`) + smuggled,
          head(post, 'host: localhost', `content-length: 0, ${smuggled.length}`) + smuggled,
          `${head(post, 'host: localhost', 'transfer-encoding: chunked, identity')}0\r\n\r\n${smuggled}`,
          `${head(post, 'host: localhost', 'transfer-encoding: xchunked')}0\r\n\r\n${smuggled}`,
          `${head(post, 'host: localhost', 'transfer-encoding : chunked', 'content-length: 4')}0\r\n\r\n${smuggled}`,
          `${head(post, 'host: localhost', 'transfer-encoding:\x0bchunked')}0\r\n\r\n${smuggled}`,
          `${head(post, 'host: localhost', 'x: y', ' transfer-encoding: chunked', 'content-length: 4')}0\r\n\r\n${smuggled}`,
          head(post, 'host: localhost', 'content-length: +0') + smuggled,
          head(post, 'host: localhost', 'content-length: -1') + smuggled,
          head(post, 'host: localhost', 'content-length: 0x0') + smuggled,
          `${head(post, 'host: localhost', 'transfer-encoding: chunked')}fffffffffffffffff0\r\n${smuggled}`,
          `${head(post, 'host: localhost', 'transfer-encoding: chunked')}0;\n\n${smuggled}`,
          head(post, 'host: localhost', `x: y\0\r\nz: a`, 'content-length: 0') + smuggled,
          head(post, 'host: localhost', 'x: y\rtransfer-encoding: chunked', 'content-length: 0') + smuggled,
          head(post, 'host: localhost\ncontent-length: 0') + smuggled,
          head(`GET /service/hostile/files/a\r\n HTTP/1.1`, 'host: localhost') + smuggled,
          head('GET /service/hostile/files/a HTTP/1.1 HTTP/1.1', 'host: localhost') + smuggled,
          head('GET /service/hostile/files/a?x=\0 HTTP/1.1', 'host: localhost') + smuggled
        ]
        for (const request of requests) {
          const received = await way.send(request, 400)
          assert.ok(answersIn(received) <= 1, `${JSON.stringify(request)}: ${received}`)
          assert.ok([0, 400].includes(statusOf(received)), `${JSON.stringify(request)}: ${received.slice(0, 200)}`)
        }
        assert.doesNotMatch((await seen()).join('\n'), /smuggled/)
      })

      it('passes no header that breaks out of its line, and no more of them than there is room for', async () => {
        const request = (...lines: string[]): string =>
          head('GET /service/hostile/files/a HTTP/1.1', 'host: localhost', 'connection: close', ...lines)
        for (const line of ['x: a\0b', 'x y: z', 'x\0: y', ': y', 'x: a\x01b'])
          assert.ok([0, 400].includes(statusOf(await way.send(request(line)))), JSON.stringify(line))
        const large = await way.send(request(`x: ${'y'.repeat(64 * 1024)}`))
        assert.ok([0, 431].includes(statusOf(large)), large.slice(0, 100))
        const many = await way.send(request(...Array.from({ length: 5000 }, (_, i) => `x${i}: yyyyyyyy`)))
        assert.ok([0, 431].includes(statusOf(many)), many.slice(0, 100))
      })
    })
  }

  it('believes nobody who says that a service calls, unless that peer has the service', async () => {
    const hidden = head(
      'GET /service/lab/hidden HTTP/1.1',
      'host: localhost',
      'connection: close',
      'hedgerow-caller: service/lab',
      'hedgerow-dispatched: 1',
      'hedgerow-depth: 1'
    )
    for (const way of ways) {
      const received = await way.send(hidden)
      assert.ok([403, 404].includes(statusOf(received)), `${way.name}: ${received}`)
      assert.doesNotMatch(received, /"hidden":true/)
    }
    const context = head(
      'GET /service/lab/hidden HTTP/1.1',
      'host: localhost',
      'connection: close',
      'hedgerow-context: a'
    )
    assert.ok([403, 404].includes(statusOf(await sendToPeer(attacker, worker.peerId, context))))
  })

  describe('when the backend is the attacker', () => {
    const get = (name: string): Promise<Response> => fetch(`${mesh.relay.url}/service/hostile/bytes/${name}`)

    it('passes on nothing that a backend says in the name of the mesh, or for the whole site', async () => {
      for (const way of ways) {
        const received = await way.send(
          head('GET /service/hostile/bytes/forged-headers HTTP/1.1', 'host: localhost', 'connection: close')
        )
        assert.equal(statusOf(received), 200, way.name)
        const [lines = ''] = received.toLowerCase().split('\r\n\r\n')
        assert.doesNotMatch(
          lines,
          /forged|set-cookie|alt-svc|clear-site|strict-transport|x-hop|h2c|proxy-auth/,
          way.name
        )
        assert.doesNotMatch(lines, /^hedgerow-error/m)
        assert.match(lines, /^etag: "kept"$/m)
      }
    })

    it('answers for it when its answer can not be told from another', async () => {
      for (const name of [
        'length-and-chunked',
        'two-lengths',
        'list-of-lengths',
        'negative-length',
        'endless-length',
        'status-below',
        'status-beyond',
        'no-status',
        'another-version',
        'nul-in-header',
        'bare-cr-in-header',
        'space-before-colon',
        'switching'
      ]) {
        const response = await get(name)
        assert.equal(response.status, 502, name)
        assert.equal((await response.json()).code, 'BackendFailed', name)
      }
    })

    it('never takes a part of an answer for the whole', async () => {
      for (const name of ['chunk-of-no-size', 'chunk-too-large', 'cut-short', 'cut-chunk']) {
        const whole = await get(name)
          .then(async response => response.ok && (await response.text()))
          .catch(() => false)
        assert.equal(whole, false, name)
      }
    })

    it('gives an answer that nobody asked for to nobody', async () => {
      for (let i = 0; i < 5; i++) {
        const answers = await Promise.all(
          Array.from({ length: 4 }, (_, j) => get(j % 2 === 0 ? 'two-answers' : `${i}-${j}`).then(r => r.text()))
        )
        assert.ok(!answers.includes('forged'), JSON.stringify(answers))
      }
    })

    it('reads a header that goes on in the next line as one value, or not at all', async () => {
      const response = await get('folded-header')
      assert.notEqual(response.headers.get('hedgerow-worker'), 'forged')
      assert.ok(response.status === 502 || response.headers.get('hedgerow-worker') === worker.peerId)
    })

    for (const name of [
      'endless-hints',
      'endless-continue',
      'endless-headers',
      'endless-header',
      'endless-reason',
      'endless-trailers',
      'endless-extension'
    ]) {
      it(`ends what has no end: ${name}`, async () => {
        const before = await memoryOf(worker.pid)
        const outcome = await get(name)
          .then(async response => {
            await response.text()
            return response.status
          })
          .catch(() => 'reset')
        assert.ok([502, 504, 'reset'].includes(outcome), `${name}: ${outcome}`)
        const grown = (await memoryOf(worker.pid)) - before
        // What came in three seconds as fast as it could is gigabytes; some of it is garbage that is yet to be collected.
        assert.ok(grown < 160 * MIB, `${name}: ${Math.round(grown / MIB)} MiB`)
        await until('it is served again', async () => (await get('plain')).status === 200)
      })
    }
  })

  describe('the process of a backend', () => {
    interface Described {
      environment: Record<string, string>
      files: Array<[number, string]>
      coreDumps: string
      pid: number
    }
    let described: Described

    before(async () => {
      described = await getJson(`${mesh.relay.url}/service/hostile/process`)
    })

    it('gets the environment that its manifest says, and no secret of the daemon', async () => {
      const { environment } = described
      assert.equal(environment.DECLARED, 'as the manifest says')
      assert.ok(!Object.values(environment).some(value => value.includes(SECRET)))
      const known =
        /^(PATH|HOME|LANG|TZ|LOG_LEVEL|TMPDIR|NODE_COMPILE_CACHE|DECLARED|PORT|HOST|HEDGEROW_(PARENT|MESH_URL|SERVICE_CONTEXT|PEER_ID))$/
      assert.deepEqual(
        Object.keys(environment).filter(name => !known.test(name)),
        []
      )
      // As it was started, whatever it has done to it since.
      assert.doesNotMatch(await readFile(`/proc/${described.pid}/environ`, 'latin1'), new RegExp(SECRET))
    })

    it('gets no open file of the daemon but its own three', async () => {
      const daemons = new Set(
        await Promise.all(
          (await readdir(`/proc/${worker.pid}/fd`)).map(fd => readlink(`/proc/${worker.pid}/fd/${fd}`).catch(() => ''))
        )
      )
      for (const [fd, target] of described.files) {
        assert.notEqual(target, secretFile)
        assert.ok(!target.startsWith(mesh.dataDir), `${fd} is ${target}`)
        if (fd > 2 && /^(socket|pipe):/.test(target)) assert.ok(!daemons.has(target), `${fd} is ${target}`)
      }
    })

    it('leaves no memory in a core dump', () => {
      assert.equal(Number.parseInt(described.coreDumps, 16), 0)
    })

    it('shares its way into the mesh with nobody on the machine', async () => {
      const { HEDGEROW_MESH_URL: url, HEDGEROW_SERVICE_CONTEXT: context = '' } = described.environment
      for (const path of ['/service/lab', '/instances/lab', '/docs', '/openapi.json', '/health', '/nothing', '/']) {
        for (const headers of [{}, { 'hedgerow-context': 'f'.repeat(32) }, { 'hedgerow-context': '' }] as Array<
          Record<string, string>
        >) {
          const response = await fetch(`${url}${path}`, { headers })
          assert.equal(response.status, 403, path)
          assert.equal((await response.json()).code, 'Forbidden')
        }
      }
      // What a service may do on its own account is no way to others.
      const other = await fetch(`${url}/service/lab`, { headers: { 'hedgerow-context': context } })
      assert.equal(other.status, 403)
    })
  })
})
