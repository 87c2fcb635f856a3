import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '@hedgerow/daemon/startup'
import { getJson, memoryOf, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { createKey, DAEMON, RELAY, run, startRelay } from '../src/keys.ts'
import { head as lines, send } from '../src/raw.ts'

const ATTACKER = fileURLToPath(new URL('../fixtures/attack/half-open.ts', import.meta.url))
const MIB = 1024 * 1024
const HALF_OPEN = 10_000
/** As `docs/limits.md` has them, and what the peer has open besides. */
const MAX_SILENT = 1024
const MAX_PER_ADDRESS = 512
const OWN_FILES = 200

interface Attack {
  child: ChildProcess
  counts(): { open: number; opened: number; failed: number }
  stop(): Promise<void>
}

/** Half-open connections, held by a process of their own. */
function attack(url: string, count: number, from: string, mode = ''): Attack {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ATTACKER, new URL(url).port, String(count), from, mode],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  let last = { open: 0, opened: 0, failed: 0 }
  child.stdout.on('data', data => {
    const [line] = String(data).trim().split('\n').slice(-1)
    if (line != null) last = JSON.parse(line)
  })
  return {
    child,
    counts: () => last,
    async stop() {
      if (child.exitCode != null || child.signalCode != null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}

const filesOf = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length

describe('a mesh that strangers try to exhaust', function () {
  this.timeout(180_000)
  let mesh: TestMesh
  let attacks: Attack[] = []

  before(async () => {
    mesh = await testMesh({ workers: 1 })
  })

  afterEach(async () => {
    await Promise.all(attacks.map(one => one.stop()))
    attacks = []
  })

  after(() => mesh?.stop())

  for (const [who, from, most] of [
    ['from this machine, as proxies are', '127.0.0.1', MAX_SILENT],
    ['from one address', '127.0.0.2', MAX_PER_ADDRESS]
  ] as const)
    it(`answers others, and grows by little, with ${HALF_OPEN} half-open connections ${who}`, async function () {
      if (process.platform !== 'linux') this.skip()
      const { url, pid } = mesh.relay
      const before = await memoryOf(pid)
      const attacker = attack(url, HALF_OPEN, from)
      attacks.push(attacker)
      let answered = 0
      let [mostFiles, mostMemory] = [0, 0]
      await until(
        'all were opened',
        async () => {
          // On connections of their own, as newcomers.
          const [health, served] = await Promise.all([
            send(url, lines('GET /health HTTP/1.1', 'host: localhost', 'connection: close')),
            postJson(`${url}/service/lab`, {}, { connection: 'close' })
          ])
          assert.match(health, /^HTTP\/1.1 200 /)
          assert.equal(served.status, 200)
          answered++
          mostFiles = Math.max(mostFiles, await filesOf(pid))
          mostMemory = Math.max(mostMemory, await memoryOf(pid))
          const { opened, failed } = attacker.counts()
          return opened + failed >= HALF_OPEN
        },
        120_000
      )
      const { opened } = attacker.counts()
      assert.ok(opened > HALF_OPEN * 0.9, `${opened} were opened`)
      assert.ok(answered > 0)
      assert.ok(mostFiles < most + OWN_FILES + 300, `the relay had ${mostFiles} files open`)
      assert.ok(mostMemory - before < 200 * MIB, `it grew by ${Math.round((mostMemory - before) / MIB)} MiB`)
      const left = await until('what is left is bounded', async () => {
        const open = (await filesOf(pid)) - OWN_FILES
        return open <= most && { open }
      })
      assert.ok(left.open <= most)
    })

  it('waits for no head and no body that comes byte by byte', async function () {
    if (process.platform !== 'linux') this.skip()
    const { url } = mesh.relay
    const attacker = attack(url, 200, '127.0.0.1', 'dribble')
    attacks.push(attacker)
    // A body for the API itself; those for services have a test of their own (pauses, deadlines).
    const slowBody = new Promise<string>(resolve => {
      let answer = ''
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
        socket.write(
          lines(
            'POST /api/nothing HTTP/1.1',
            'host: localhost',
            'content-type: application/json',
            'content-length: 9999'
          )
        )
      )
      const dribble = setInterval(() => socket.write(' '), 500)
      socket
        .on('data', data => {
          answer += data
          socket.end()
        })
        .on('error', () => {})
        .on('close', () => {
          clearInterval(dribble)
          resolve(answer)
        })
    })
    await until('all are open', async () => attacker.counts().opened === 200)
    await until('all were closed', async () => attacker.counts().open === 0, 60_000)
    assert.match(await slowBody, /^HTTP\/1.1 4(04|08) /)
    assert.equal((await postJson(`${url}/service/lab`, {})).status, 200)
  })

  it('refuses heads that are too large, or of too many headers', async () => {
    const many = Array.from({ length: 101 }, (_, i) => `x-${i}: y`)
    for (const url of [mesh.relay.url, mesh.workers[0]?.url ?? ''])
      for (const path of ['/health', '/service/lab/counted', '/nothing']) {
        const head = [`GET ${path} HTTP/1.1`, 'host: localhost', 'connection: close']
        assert.match(await send(url, lines(...head, `x: ${'y'.repeat(17_000)}`)), /^HTTP\/1.1 431 [\s\S]*"Malformed"/)
        assert.match(await send(url, lines(...head, ...many)), /^HTTP\/1.1 431 [\s\S]*"TooManyHeaders"/)
        assert.match(await send(url, lines(...head, ...many.slice(0, 90))), /^HTTP\/1.1 (200|404) /)
      }
  })
})

describe('a peer that is reached from elsewhere', function () {
  this.timeout(60_000)
  let dir: string

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-access-'))
  })

  after(() => rm(dir, { recursive: true, force: true }))

  it('does not start while nobody could be known, and says what to do', async () => {
    for (const program of [RELAY, DAEMON])
      for (const [setting, env] of [
        ['HEDGEROW_HTTP_HOST', { HEDGEROW_HTTP_HOST: '0.0.0.0' }],
        ['HEDGEROW_HTTP_HOST', { HEDGEROW_HTTP_HOST: '::' }],
        ['HEDGEROW_OIDC_AUDIENCE', { HEDGEROW_OIDC_ISSUER: 'https://id.example' }],
        ['HEDGEROW_OIDC_ISSUER', { HEDGEROW_OIDC_ISSUER: 'http://id.example', HEDGEROW_OIDC_AUDIENCE: 'x' }],
        ['HEDGEROW_OIDC_RIGHTS', { HEDGEROW_OIDC_RIGHTS: 'everything' }],
        ['HEDGEROW_TRUSTED_PROXIES', { HEDGEROW_TRUSTED_PROXIES: '10.0.0.0/99' }],
        ['HEDGEROW_ADDRESS_RATE', { HEDGEROW_ADDRESS_RATE: '0' }]
      ] as Array<[string, Record<string, string>]>) {
        const { code, stderr } = await run(program, [], {
          HEDGEROW_DATA_DIR: join(dir, 'data'),
          HEDGEROW_HTTP_PORT: '0',
          LOG_LEVEL: 'silent',
          ...env
        })
        assert.equal(code, 2, stderr)
        assert.match(stderr, new RegExp(`^${setting}: [^\\n]+\\n$`))
      }
  })

  it('does not start with keys that can not be read, or with none that is good any more', async () => {
    const data = join(dir, 'expired')
    const env = { HEDGEROW_DATA_DIR: data, HEDGEROW_HTTP_PORT: '0', HEDGEROW_HTTP_HOST: '0.0.0.0', LOG_LEVEL: 'silent' }
    await run(RELAY, [], env)
    await createKey(data, '--expires', '1s')
    await sleep(1100)
    const { code, stderr } = await run(RELAY, [], env)
    assert.equal(code, 2)
    assert.match(stderr, /^HEDGEROW_HTTP_HOST: [^\n]*hedgerow key create/)
  })

  it('is open to all where its owner wants it so, and says it loudly', async () => {
    const port = await freePort()
    const relay = await startRelay({
      HEDGEROW_DATA_DIR: join(dir, 'open'),
      HEDGEROW_HTTP_HOST: '0.0.0.0',
      HEDGEROW_HTTP_PORT: String(port),
      HEDGEROW_HTTP_OPEN: 'true',
      LOG_LEVEL: 'warn'
    })
    try {
      const url = `http://127.0.0.1:${port}`
      await until('it is up', async () => (await fetch(`${url}/health`)).ok)
      const health = await getJson<Record<string, unknown>>(`${url}/health`)
      assert.equal(health.open, true)
      assert.equal(health.pid, undefined)
      assert.equal(health.closed, false)
      assert.equal((await fetch(`${url}/api/admin/workers`)).status, 200)
      await until(`its log says so: ${relay.said()}`, async () => relay.said().includes('HEDGEROW_HTTP_OPEN'))
      await until('so of the mesh', async () => relay.said().includes('this mesh is open'))
      const wrong = await fetch(`${url}/service/lab`, { headers: { 'x-api-key': 'hk_wrong' } })
      assert.equal(wrong.status, 401)
    } finally {
      await relay.stop()
    }
  })
})
