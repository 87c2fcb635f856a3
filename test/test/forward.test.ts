import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { type AuditEntry, readAudit } from '@hedgerow/daemon/audit'
import { freePort } from '@hedgerow/daemon/startup'
import type { Explanation } from '@hedgerow/protocols/dispatch'
import { getJson, memoryOf, type TestMesh, testMesh, until } from '../src/harness.ts'
import { createKey, INSPECTOR, run } from '../src/keys.ts'
import {
  ask,
  dial,
  digestOf,
  endOf,
  type Forward,
  next,
  readAll,
  startForward,
  startForwardByShell,
  upgradeTo,
  wireBytes
} from '../src/tcp.ts'

const WIRE = fileURLToPath(new URL('../fixtures/tcp', import.meta.url))
const MEBIBYTE = 1024 * 1024

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('a TCP service', function () {
  this.timeout(60_000)
  let mesh: TestMesh
  const running: Forward[] = []

  before(async () => {
    mesh = await testMesh({ workers: 2, services: ['wire'], env: { HEDGEROW_SERVICES_DIR: WIRE } })
  })
  after(() => mesh?.stop())

  /** connections on all workers */
  const inFlight = async (): Promise<number> => {
    const texts = await Promise.all(mesh.workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()))
    return texts
      .map(text => Number(/^hedgerow_in_flight{service="wire"} (\d+)/m.exec(text)?.[1] ?? 0))
      .reduce((sum, one) => sum + one, 0)
  }

  const auditOf = async (name: string, id: string): Promise<AuditEntry[]> => {
    const found: AuditEntry[] = []
    for await (const entry of readAudit(join(mesh.dataDir, name, 'audit')))
      if (!('lost' in entry) && entry.request_id === id) found.push(entry)
    return found
  }

  afterEach(() => {
    for (const { child } of running.splice(0)) child.kill('SIGKILL')
  })
  const forward = async (service: string, ...args: string[]): Promise<Forward> => {
    const one = await startForward(service, { HEDGEROW_DAEMON: mesh.relay.url }, ...args)
    running.push(one)
    return one
  }
  const idsOf = (peers: Array<{ peerId: string }>): string[] => peers.map(({ peerId }) => peerId).sort()

  it('is reached at a port of this machine, by way of the daemon there, on both of its workers', async () => {
    const place = await forward('cable')
    const seen = new Set<string>()
    for (let i = 0; i < 12; i++) seen.add((await ask(place, 'who')).split(' ')[0] ?? '')
    assert.deepEqual([...seen].sort(), idsOf(mesh.workers))
    await until('all are told', async () => place.connections().length === 12)
    assert.equal(await place.stop(), 0)
  })

  it('is reached by a peer of its own, which needs no daemon', async () => {
    const place = await startForward('wire', {}, '--relay', mesh.relay.url)
    running.push(place)
    assert.equal(await ask(place, 'echo\nhello'), 'hello\n')
    const [connection] = await until('it is told', async () => place.connections().length > 0 && place.connections())
    assert.equal(connection?.path, 'direct')
    assert.equal(connection?.sent, 'echo\nhello\n'.length)
    assert.equal(connection?.received, 'hello\n'.length)
    assert.equal(await place.stop(), 0)
  })

  it('ends when the shell between it and npx was ended, and leaves no port open', async () => {
    const { shell, pid, ...place } = await startForwardByShell('wire', {
      HEDGEROW_DAEMON: mesh.relay.url,
      npm_command: 'exec'
    })
    const open = async (): Promise<boolean> =>
      dial(place).then(
        socket => socket.destroy() != null,
        () => false
      )
    try {
      assert.ok(await open())
      shell.kill('SIGTERM')
      await until('the port is closed', async () => !(await open()))
    } finally {
      if (await open()) process.kill(pid, 'SIGKILL')
    }
  })

  it('goes to the one worker that is asked for', async () => {
    const [worker] = mesh.workers
    const place = await forward('wire', '--worker', worker?.name ?? '')
    for (let i = 0; i < 4; i++) assert.equal((await ask(place, 'who')).split(' ')[0], worker?.peerId)
  })

  it('passes on the end of each direction by itself', async () => {
    const place = await forward('wire')
    // Theirs after ours.
    assert.equal(await ask(place, 'take\nthree\nlines'), `12 ${sha256('three\nlines\n')}\n`)
    // Ours after theirs.
    const [worker] = mesh.workers
    const at = await forward('wire', '--worker', worker?.name ?? '')
    const socket = await dial(at)
    socket.write('listen\n')
    assert.equal((await readAll(socket)).toString(), 'done\n')
    socket.end('late news')
    await until('it was heard', async () =>
      (await readFile(join(mesh.dataDir, worker?.name ?? '', 'log'), 'utf8')).includes('heard late news')
    )
  })

  it('carries much in both directions, and holds little of it for a reader that is slow', async () => {
    const size = 96 * MEBIBYTE
    const place = await forward('wire')
    const pids = [...mesh.workers, mesh.relay].map(({ pid }) => pid)
    const before = await Promise.all(pids.map(memoryOf))
    const slow = await dial(place)
    slow.write(`send ${size}\n`)
    await next(slow)
    // Meanwhile nobody reads that one.
    const sink = await dial(place)
    sink.write('take\n')
    await pipeline(Readable.from(wireBytes(size)), sink)
    assert.equal((await readAll(sink)).toString(), `${size} ${digestOf(size)}\n`)
    const grown = (await Promise.all(pids.map(memoryOf))).map((bytes, i) => bytes - (before[i] ?? 0))
    for (const bytes of grown) assert.ok(bytes < 90 * MEBIBYTE, `a process has grown by ${bytes} bytes`)
    const hash = createHash('sha256')
    let received = 0
    const whole = await dial(place)
    whole.write(`send ${size}\n`)
    for await (const piece of whole) {
      hash.update(piece)
      received += piece.length
    }
    assert.equal(received, size)
    assert.equal(hash.digest('hex'), digestOf(size))
    slow.destroy()
  })

  it('says by a reset that a connection was broken off', async () => {
    const place = await forward('wire')
    const broken = await dial(place)
    broken.write('break\n')
    assert.equal(await endOf(broken), 'reset')
  })

  it('ends at its backend when the client leaves', async () => {
    const place = await forward('wire')
    const socket = await dial(place)
    socket.write('hold\n')
    assert.match(await next(socket), /^holding/)
    assert.equal(await inFlight(), 1)
    socket.resetAndDestroy()
    await until('nothing is in flight', async () => (await inFlight()) === 0)
  })

  it('takes so many connections at once, and refuses one more', async () => {
    const place = await forward('wire')
    const held = []
    // Six on each of two workers.
    for (let i = 0; i < 12; i++) {
      const socket = await dial(place)
      socket.write('hold\n')
      held.push(socket)
      assert.match(await next(socket), /^holding/)
    }
    const { status, problem } = await upgradeTo(mesh.relay.url, 'wire')
    assert.deepEqual([status, problem?.code], [429, 'Busy'])
    const refused = await dial(place)
    assert.equal(await endOf(refused), 'reset')
    for (const socket of held) socket.destroy()
    await until('nothing is in flight', async () => (await inFlight()) === 0)
    assert.match(await ask(place, 'who'), /^12D3/)
  })

  it('may be limited at the port, too', async () => {
    const place = await forward('wire', '--max-connections', '1')
    const held = await dial(place)
    held.write('hold\n')
    await next(held)
    const refused = await dial(place)
    await endOf(refused)
    const [told] = await until('it is told', async () => place.connections().length > 0 && place.connections())
    assert.match(told?.error ?? '', /--max-connections/)
    held.destroy()
  })

  it('is no HTTP service, and says how it is reached', async () => {
    const response = await fetch(`${mesh.relay.url}/service/wire/anything`)
    const problem = (await response.json()) as { code: string; detail: string }
    assert.equal(response.status, 426)
    assert.equal(response.headers.get('upgrade'), 'hedgerow-forward')
    assert.equal(problem.code, 'NotHttp')
    assert.match(problem.detail, /hedgerow forward wire <port>/)
  })

  it('is opened by an upgrade, whose answer says where it leads, and the decision is kept', async () => {
    const { status, headers, socket } = await upgradeTo(mesh.relay.url, 'wire')
    assert.equal(status, 101)
    assert.ok(socket != null)
    socket.end('who\n')
    const [worker] = (await readAll(socket)).toString().split(' ')
    assert.equal(headers['hedgerow-worker'], worker)
    assert.equal(headers['hedgerow-attempts'], '1')
    const id = String(headers['hedgerow-request-id'])
    const explained = await until('it is over', async () => {
      const decision = await getJson<Explanation>(`${mesh.relay.url}/explain/${id}`)
      return decision.outcome !== 'pending' && decision
    })
    assert.deepEqual([explained.service, explained.operation, explained.outcome], ['wire', 'CONNECT', 'answered'])
    assert.equal(explained.chosen, worker)
  })

  for (const [what, service, headers, expected] of [
    ['a service that nobody knows', 'nothing', {}, [404, 'UnknownService']],
    ['a class that no worker may see', 'wire', { 'hedgerow-data-class': 'confidential' }, [403, 'ClassNotAllowed']],
    ['a worker that is none', 'wire', { 'hedgerow-worker': 'x' }, [400, 'Malformed']],
    ['a name that is none of its own', 'wire', { host: 'evil.example' }, [403, 'Forbidden']],
    ['a service that speaks HTTP', 'ner-extraction', {}, [400, 'NotTcp']]
  ] as const) {
    it(`is refused for ${what}`, async () => {
      const { status, problem } = await upgradeTo(mesh.relay.url, service, headers)
      assert.deepEqual([status, problem?.code], expected)
    })
  }

  it('is told apart wherever services are listed', async () => {
    const { services } = await getJson<{ services: Array<{ name: string; protocol: string }> }>(
      `${mesh.relay.url}/api/services`
    )
    assert.equal(services.find(({ name }) => name === 'wire')?.protocol, 'tcp')
    assert.equal(services.find(({ name }) => name === 'ner-extraction')?.protocol, 'http')
  })

  it('is counted and written down where it enters and where it is served', async () => {
    const place = await forward('wire')
    assert.equal(await ask(place, 'echo\nfive!'), 'five!\n')
    const metrics = await (await fetch(`${mesh.relay.url}/metrics`)).text()
    assert.match(metrics, /hedgerow_connections_forwarded_total{service="wire",outcome="answered",path="direct"} [1-9]/)
    assert.match(metrics, /hedgerow_forwarded_bytes_total{service="wire",direction="received"} [1-9]/)
    const [{ request_id } = { request_id: '' }] = await until('it is told', async () => {
      const told = place.connections()
      return told.length > 0 && told
    })
    const sides = await until('both have written', async () => {
      const entries = await Promise.all(
        ['relay', ...mesh.workers.map(({ name }) => name)].map(name => auditOf(name, request_id))
      )
      return entries.flat().length === 2 && entries.flat()
    })
    for (const { operation, method, service, outcome, request_bytes, answer_bytes } of sides)
      assert.deepEqual(
        [operation, method, service, outcome, request_bytes, answer_bytes],
        ['CONNECT', 'CONNECT', 'wire', 'answered', 'echo\nfive!\n'.length, 'five!\n'.length]
      )
  })
})

describe('a TCP service behind a key', function () {
  this.timeout(60_000)
  let mesh: TestMesh
  let tunnel: string
  before(async () => {
    const port = await freePort()
    tunnel = `http://127.0.0.1:${port}`
    mesh = await testMesh({
      workers: 1,
      services: ['wire'],
      env: { HEDGEROW_SERVICES_DIR: WIRE },
      envOf: { relay: { HEDGEROW_TUNNEL_PORT: String(port) } }
    })
  })
  after(() => mesh?.stop())

  it('is open to its holder, until the key is revoked', async () => {
    const relayDir = join(mesh.dataDir, 'relay')
    const [kept, lost] = await Promise.all([createKey(relayDir), createKey(relayDir)])
    const open = (key: string) => upgradeTo(tunnel, 'wire', { authorization: `Bearer ${key}` })
    assert.equal((await upgradeTo(tunnel, 'wire')).problem?.code, 'Unauthorized')
    const [by, other] = await Promise.all(
      [lost, kept].map(async ({ key }) => {
        const { socket } = await until('the key is known', async () => {
          const opened = await open(key)
          return opened.socket != null && opened
        })
        assert.ok(socket != null)
        socket.write('echo\nbefore\n')
        assert.equal(await next(socket), 'before\n')
        return socket
      })
    )
    assert.ok(by != null && other != null)
    assert.equal((await run(INSPECTOR, ['key', 'revoke', lost.id, '--data-dir', relayDir])).code, 0)
    assert.equal(await endOf(by), 'reset')
    other.end('after\n')
    assert.equal((await readAll(other)).toString(), 'after\n')
    const log = await readFile(join(relayDir, 'log'), 'utf8')
    assert.match(log, /"code":"Unauthorized","reason":"what key\/\w+ was let in by has ended or was revoked"/)
  })
})

describe('the end of a TCP service', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  before(async () => {
    mesh = await testMesh({ workers: 2, services: ['wire'], env: { HEDGEROW_SERVICES_DIR: WIRE } })
  })
  after(() => mesh?.stop())

  /** A connection that is open, and the process at its end. */
  const hold = async (worker: string) => {
    const { socket } = await upgradeTo(mesh.relay.url, 'wire', { 'hedgerow-worker': worker })
    assert.ok(socket != null)
    socket.write('hold\n')
    return { socket, pid: Number(/holding (\d+)/.exec(await next(socket))?.[1]) }
  }
  const offers = async (url: string): Promise<number> =>
    (await getJson<{ services: Array<{ name: string; healthy: number }> }>(`${url}/api/services`)).services.find(
      ({ name }) => name === 'wire'
    )?.healthy ?? 0

  it('resets what is open when its process dies, and the other worker goes on', async () => {
    const [first, second] = mesh.workers
    assert.ok(first != null && second != null)
    const { socket, pid } = await hold(first.peerId)
    // Its client goes on listening after the end that a dead process seems to say.
    const reset = once(socket, 'error')
    socket.resume()
    process.kill(pid, 'SIGKILL')
    await reset
    const { socket: other } = await upgradeTo(mesh.relay.url, 'wire')
    other?.end('who\n')
    assert.ok(other != null)
    assert.match((await readAll(other)).toString(), /^12D3/)
    await until('it is back', async () => (await offers(mesh.relay.url)) === 2)
  })

  it('lets go on what is open while its worker drains, and takes nothing new', async () => {
    const worker = await mesh.startWorker('leaving')
    await until('it is offered', async () => (await offers(mesh.relay.url)) === 3)
    const { socket } = await upgradeTo(mesh.relay.url, 'wire', { 'hedgerow-worker': worker.peerId })
    assert.ok(socket != null)
    socket.write('echo\nbefore\n')
    assert.equal(await next(socket), 'before\n')
    const exited = once(worker.child, 'exit')
    worker.child.kill('SIGTERM')
    await until('it has said goodbye', async () => (await offers(mesh.relay.url)) === 2)
    const { problem } = await upgradeTo(mesh.relay.url, 'wire', { 'hedgerow-worker': worker.peerId })
    assert.equal(problem?.code, 'NoWorker')
    socket.end('after\n')
    assert.equal((await readAll(socket)).toString(), 'after\n')
    assert.deepEqual(await exited, [0, null])
  })

  it('resets what is open when its worker is gone, soon', async () => {
    const [first] = mesh.workers
    assert.ok(first != null)
    const { socket } = await hold(first.peerId)
    first.child.kill('SIGKILL')
    assert.equal(await endOf(socket), 'reset')
  })
})
