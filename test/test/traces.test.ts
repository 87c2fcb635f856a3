import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type AuditEntry, readAudit } from '@hedgerow/daemon/audit'
import { createNode, type Node } from '@hedgerow/daemon/node'
import { openReceipt } from '@hedgerow/protocols/receipt'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { bodyOf, head, sendToPeer, statusOf } from '../src/raw.ts'

const HEDGEROW = fileURLToPath(new URL('../../inspector/bin/hedgerow.js', import.meta.url))
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')

async function hedgerow(
  args: string[],
  env: Record<string, string>,
  input = ''
): Promise<{ code: number; out: string }> {
  const child = spawn(process.execPath, [HEDGEROW, ...args], { env: { PATH: process.env.PATH, ...env } })
  child.stdin.on('error', () => {}).end(input)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out: out + err }
}

describe('traces of use', function () {
  this.timeout(60_000)
  let mesh: TestMesh

  before(async () => {
    mesh = await testMesh({ workers: 2, envOf: { forgetful: { HEDGEROW_AUDIT_DAYS: '0' } } })
  })

  after(() => mesh?.stop())

  const idOf = (response: Response): string => response.headers.get('hedgerow-request-id') ?? ''
  const workerOf = (response: Response) => {
    const worker = mesh.workers.find(({ peerId }) => peerId === response.headers.get('hedgerow-worker'))
    assert.ok(worker != null)
    return worker
  }

  async function entries(name: string, id?: string): Promise<AuditEntry[]> {
    const found: AuditEntry[] = []
    for await (const entry of readAudit(join(mesh.dataDir, name, 'audit')))
      if (!('lost' in entry) && (id == null || entry.request_id === id)) found.push(entry)
    return found
  }
  const entryOf = (name: string, id: string): Promise<AuditEntry> =>
    until('it is in the audit log', async () => (await entries(name, id))[0])

  async function everythingWritten(name: string): Promise<string> {
    const folder = join(mesh.dataDir, name, 'audit')
    return (await Promise.all((await readdir(folder)).map(file => readFile(join(folder, file), 'utf8')))).join('')
  }

  describe('in the audit log', () => {
    it('are of both sides: who, what, how large, how it went, how long it took', async () => {
      const response = await postJson(
        `${mesh.relay.url}/service/lab/echo?client=Obi`,
        { secret: 'ada' },
        { 'hedgerow-data-class': 'internal', 'x-note': 'ada' }
      )
      const answer = await response.text()
      const worker = workerOf(response)
      const entered = await entryOf('relay', idOf(response))
      const { time, started_at, ms, ...rest } = entered
      assert.deepEqual(rest, {
        request_id: idOf(response),
        side: 'ingress',
        caller: 'local',
        service: 'lab',
        operation: 'POST /echo',
        method: 'POST',
        data_class: 'internal',
        request_bytes: 16,
        answer_bytes: answer.length,
        status: 200,
        outcome: 'answered',
        worker: worker.peerId,
        path: 'direct'
      })
      assert.ok(Date.parse(time) >= Date.parse(started_at) && ms > 0)
      const served = await entryOf(worker.name, idOf(response))
      assert.deepEqual(
        [served.side, served.caller, served.operation, served.request_bytes, served.answer_bytes, served.data_class],
        ['worker', `peer/${mesh.relay.peerId}`, 'POST /echo', 16, answer.length, 'internal']
      )
    })

    it('tell of refusals and failures, with the code', async () => {
      for (const [path, method, outcome, operation] of [
        ['lab/echo', 'DELETE', 'MethodNotAllowed', null],
        ['lab/none', 'GET', 'UnknownOperation', null],
        ['nobody', 'GET', 'UnknownService', null],
        ['lab/bad/reset', 'GET', 'BackendFailed', '* /bad/{how}']
      ] as const) {
        const response = await fetch(`${mesh.relay.url}/service/${path}`, { method })
        const body = await response.text()
        const entry = await entryOf('relay', idOf(response))
        assert.deepEqual(
          [entry.outcome, entry.status, entry.operation, entry.answer_bytes],
          [outcome, response.status, operation, body.length]
        )
      }
    })

    it('count bytes of streams, also of those that nobody reads to the end', async () => {
      const size = 3 * 1024 * 1024
      const sink = await fetch(`${mesh.relay.url}/service/lab/sink`, { method: 'POST', body: Buffer.alloc(size) })
      await sink.text()
      assert.equal((await entryOf('relay', idOf(sink))).request_bytes, size)
      assert.equal((await entryOf(workerOf(sink).name, idOf(sink))).request_bytes, size)
      const source = await fetch(`${mesh.relay.url}/service/lab/source?bytes=${size}`)
      await source.arrayBuffer()
      assert.equal((await entryOf('relay', idOf(source))).answer_bytes, size)
      const left = new AbortController()
      const ticks = await fetch(`${mesh.relay.url}/service/lab/ticks?ms=5`, { signal: left.signal })
      await ticks.body?.getReader().read()
      left.abort()
      assert.equal((await entryOf('relay', idOf(ticks))).outcome, 'ClientGone')
      assert.equal((await entryOf(workerOf(ticks).name, idOf(ticks))).outcome, 'ClientGone')
    })

    it('name the service whose backend called', async () => {
      const response = await postJson(`${mesh.workers[0]?.url}/service/lab/nested`, { path: 'lab/echo' })
      assert.equal(response.status, 200)
      const worker = workerOf(response)
      await until('the nested call is written', async () =>
        (await entries(worker.name)).some(({ side, caller }) => side === 'ingress' && caller === 'service/lab')
      )
    })

    it('hold nothing of what was asked or answered, and are for this user alone', async () => {
      const marked = 'xyzzy-never-written'
      const response = await postJson(
        `${mesh.relay.url}/service/lab/echo?q=${marked}`,
        { marked },
        { 'x-header': marked, authorization: `Bearer ${marked}`, cookie: marked }
      )
      await response.text()
      for (const target of [
        `/service/${marked}%0a`,
        `/service/lab/${marked}`,
        `/service/lab/echo/${marked}?${marked}`
      ]) {
        const refused = await fetch(mesh.relay.url + target, { headers: { 'hedgerow-data-class': `${marked}!` } })
        await refused.text()
      }
      await entryOf('relay', idOf(response))
      for (const name of ['relay', workerOf(response).name]) {
        assert.doesNotMatch(await everythingWritten(name), new RegExp(marked))
        const folder = join(mesh.dataDir, name, 'audit')
        assert.equal((await stat(folder)).mode & 0o777, 0o700)
        for (const file of await readdir(folder)) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600)
      }
    })

    it('are complete when a peer has stopped', async () => {
      const worker = await mesh.startWorker('stopping')
      await until('it serves', async () => (await postJson(`${worker.url}/service/lab`, {})).ok)
      const answers = await Promise.all(Array.from({ length: 50 }, () => postJson(`${worker.url}/service/lab`, {})))
      const exited = once(worker.child, 'exit')
      worker.child.kill('SIGTERM')
      await exited
      const known = new Set((await entries('stopping')).map(({ request_id }) => request_id))
      for (const answer of answers) assert.ok(known.has(idOf(answer)))
    })

    it('are not kept where the settings say so', async () => {
      const worker = await mesh.startWorker('forgetful')
      await until('it serves', async () => (await postJson(`${worker.url}/service/lab`, {})).ok)
      const exited = once(worker.child, 'exit')
      worker.child.kill('SIGTERM')
      await exited
      assert.ok(!(await readdir(join(mesh.dataDir, 'forgetful'))).includes('audit'))
    })

    it('are read by `hedgerow audit`, filtered', async () => {
      const response = await postJson(`${mesh.relay.url}/service/lab`, {})
      await entryOf('relay', idOf(response))
      const env = { HEDGEROW_DATA_DIR: join(mesh.dataDir, 'relay') }
      const { code, out } = await hedgerow(['audit', '--service', 'lab', '--since', '1h', '--json'], env)
      assert.equal(code, 0, out)
      const ids = out
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).request_id)
      assert.ok(ids.includes(idOf(response)))
      assert.equal((await hedgerow(['audit', '--caller', 'nobody'], env)).out.trim(), '')
      const people = await hedgerow(['audit', '--since', '1h'], env)
      assert.match(people.out, new RegExp(`ingress {2}200 .*lab POST /echo {2}by local .*${idOf(response)}`))
      const none = await hedgerow(['audit', '--data-dir', '/nowhere'], env)
      assert.equal(none.code, 1)
      assert.match(none.out, /--data-dir/)
      assert.equal((await hedgerow(['audit', '--since', 'yesterday-ish'], env)).code, 2)
    })
  })

  describe('in a receipt', () => {
    it('are the digests of what went in and out, signed by the worker that answered', async () => {
      const response = await postJson(`${mesh.relay.url}/service/lab/echo`, { text: 'to be signed' })
      const answer = Buffer.from(await response.arrayBuffer())
      const worker = workerOf(response)
      for (const url of [mesh.relay.url, worker.url]) {
        const { receipts } = await getJson<{ receipts: string[] }>(`${url}/receipts/${idOf(response)}`)
        assert.equal(receipts.length, 1)
        const receipt = await openReceipt(receipts[0] ?? '')
        const { startedAt, endedAt, ...rest } = receipt
        assert.deepEqual(rest, {
          worker: worker.peerId,
          requestId: idOf(response),
          mesh: 'hedgerow',
          service: 'lab',
          operation: 'POST /echo',
          caller: `peer/${mesh.relay.peerId}`,
          depth: 0,
          request: { bytes: answer.length, sha256: sha256('{"text":"to be signed"}'), complete: true },
          answer: { bytes: answer.length, sha256: sha256(answer) },
          status: 200
        })
        assert.ok(endedAt >= startedAt && Math.abs(endedAt - Date.now()) < 60_000)
      }
    })

    it('are of streams too, in both directions', async () => {
      const upload = Buffer.alloc(2 * 1024 * 1024, 'u')
      const sunk = await fetch(`${mesh.relay.url}/service/lab/sink`, { method: 'POST', body: upload })
      await sunk.text()
      const source = await fetch(`${mesh.relay.url}/service/lab/source?bytes=2000000`)
      const download = Buffer.from(await source.arrayBuffer())
      const receiptOf = async (response: Response) =>
        openReceipt(
          (await getJson<{ receipts: string[] }>(`${mesh.relay.url}/receipts/${idOf(response)}`)).receipts[0] ?? ''
        )
      assert.equal((await receiptOf(sunk)).request.sha256, sha256(upload))
      assert.equal((await receiptOf(source)).answer.sha256, sha256(download))
    })

    it('are for the peer that sent the request, and for no other', async () => {
      const response = await postJson(`${mesh.relay.url}/service/lab/echo`, {})
      const worker = workerOf(response)
      const attacker = await attackerOf(worker.url, worker.peerId)
      try {
        const ask = (id: string): Promise<string> =>
          sendToPeer(attacker, worker.peerId, head(`GET /receipts/${id} HTTP/1.1`, 'host: x', 'connection: close'))
        assert.equal(statusOf(await ask(idOf(response))), 404)
        // Its own it gets, also where it named no id.
        const own = await sendToPeer(
          attacker,
          worker.peerId,
          `${head('POST /service/lab/echo HTTP/1.1', 'host: x', 'connection: close', 'content-length: 2')}{}`
        )
        const id = /^hedgerow-request-id: (\w+)/m.exec(own)?.[1] ?? ''
        const given = await ask(id)
        assert.equal(statusOf(given), 200, given)
        const receipt = await openReceipt(JSON.parse(bodyOf(given)).receipts[0])
        assert.deepEqual([receipt.caller, receipt.requestId], [`peer/${attacker.peerId}`, id])
        // Nor does one id for many requests fill the worker's memory.
        for (let i = 0; i < 20; i++)
          await sendToPeer(
            attacker,
            worker.peerId,
            head('GET /service/lab/counted HTTP/1.1', 'host: x', 'connection: close', 'hedgerow-request-id: same')
          )
        assert.ok(JSON.parse(bodyOf(await ask('same'))).receipts.length <= 8)
      } finally {
        await attacker.stop()
      }
    })

    it('are not there for what was refused, failed, or never asked', async () => {
      const refused = await fetch(`${mesh.relay.url}/service/lab/echo`, { method: 'DELETE' })
      const failed = await fetch(`${mesh.relay.url}/service/lab/bad/reset`)
      for (const id of [idOf(refused), idOf(failed), 'f'.repeat(32), '..%2f..', '%00'])
        assert.equal((await fetch(`${mesh.relay.url}/receipts/${id}`)).status, 404, id)
    })

    it('are fetched by `hedgerow receipt` and checked by `hedgerow verify`', async () => {
      const response = await postJson(`${mesh.relay.url}/service/lab/echo`, { a: 1 })
      const answer = join(mesh.dataDir, 'answer')
      const other = join(mesh.dataDir, 'other')
      const file = join(mesh.dataDir, 'receipt.jws')
      await writeFile(answer, Buffer.from(await response.arrayBuffer()))
      await writeFile(other, 'something else')
      const env = { HEDGEROW_DAEMON: mesh.relay.url }
      const fetched = await hedgerow(['receipt', idOf(response)], env)
      assert.equal(fetched.code, 0, fetched.out)
      const jws = fetched.out.trim()
      await writeFile(file, fetched.out)

      const whole = await hedgerow(
        ['verify', file, '--request', answer, '--answer', answer, '--worker', workerOf(response).peerId],
        {}
      )
      assert.equal(whole.code, 0, whole.out)
      assert.match(whole.out, /the receipt is good/)
      assert.doesNotMatch(whole.out, /not compared|Wrong/)
      const alone = await hedgerow(['verify', jws], {})
      assert.equal(alone.code, 0, alone.out)
      assert.match(alone.out, /Not shown:[\s\S]*--worker[\s\S]*--request FILE[\s\S]*--answer FILE/)
      assert.equal((await hedgerow(['verify', '-', '--answer', answer], {}, jws)).code, 0)

      const wrong = await hedgerow(['verify', jws, '--answer', other], {})
      assert.equal(wrong.code, 1)
      assert.match(wrong.out, /Wrong:[\s\S]*what was answered is not/)
      assert.equal((await hedgerow(['verify', jws, '--worker', mesh.relay.peerId], {})).code, 1)
      const [h = '', p = '', s = ''] = jws.split('.')
      const forged = Buffer.from(
        Buffer.from(p, 'base64url').toString().replace('"status":200', '"status":500')
      ).toString('base64url')
      assert.equal((await hedgerow(['verify', `${h}.${forged}.${s}`], {})).code, 1)
      assert.equal((await hedgerow(['verify', other], {})).code, 1)
      assert.equal((await hedgerow(['verify', '/nowhere/at-all'], {})).code, 2)
      assert.equal((await hedgerow(['verify', jws, '--answer', '/nowhere'], {})).code, 2)
      assert.equal((await hedgerow(['receipt', 'f'.repeat(32)], env)).code, 1)
      assert.equal((await hedgerow(['receipt', idOf(response)], { HEDGEROW_DAEMON: 'http://127.0.0.1:1' })).code, 3)
    })
  })

  async function attackerOf(url: string, peerId: string): Promise<Node> {
    const node = await createNode({
      privateKey: await generateKeyPair('Ed25519'),
      mesh: 'hedgerow',
      role: 'client',
      listen: []
    })
    await node.start()
    const { peers } = await getJson<{ peers: string[] }>(`${url}/api/dht/bootstrap`)
    await node.dial(multiaddr(peers.find(addr => addr.endsWith(`/p2p/${peerId}`)) ?? ''))
    return node
  }
})
