import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const DAEMON = join(root, 'daemon/bin/hedgerow-daemon.js')
const RELAY = join(root, 'bootstrap-relay/bin/hedgerow-relay.js')

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a program to its end; one that should not have started is ended after a while. */
async function run(program: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => (stdout += chunk))
  child.stderr.on('data', chunk => (stderr += chunk))
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
  const [code] = await once(child, 'close')
  clearTimeout(late)
  return { code, stdout, stderr }
}

describe('the programs', function () {
  this.timeout(60_000)
  let dir: string

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-programs-'))
  })

  after(() => rm(dir, { recursive: true, force: true }))

  it('explain themselves', async () => {
    for (const program of [DAEMON, RELAY]) {
      const { code, stdout } = await run(program, ['--help'])
      assert.equal(code, 0)
      for (const word of ['HEDGEROW_RELAY', 'HEDGEROW_DATA_DIR', 'HEDGEROW_HTTP_PORT', '--config'])
        assert.ok(stdout.includes(word), word)
      assert.match((await run(program, ['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
    }
  })

  it('name the setting that is wrong, in one line, and exit 2', async () => {
    const file = join(dir, 'file')
    await writeFile(file, '')
    await writeFile(join(dir, 'bad.yaml'), 'http_port: many\n')
    await writeFile(join(dir, 'unknown.yaml'), 'http_prot: 1\n')
    await writeFile(join(dir, 'broken.yaml'), 'a: [\n')
    const cases: Array<[Record<string, string>, string[], string]> = [
      [{ HEDGEROW_HTTP_PORT: 'eighty' }, [], 'HEDGEROW_HTTP_PORT'],
      [{ HEDGEROW_RELAY: 'ftp://relay' }, [], 'HEDGEROW_RELAY'],
      [{ COORDINATOR_URL: 'nonsense' }, [], 'HEDGEROW_RELAY'],
      [{ HEDGEROW_RELAY: '/ip4/127.0.0.1/tcp/4001' }, [], 'HEDGEROW_RELAY'],
      [{ HEDGEROW_LISTEN: '/ip4/999' }, [], 'HEDGEROW_LISTEN'],
      [{ LOG_LEVEL: 'loud' }, [], 'LOG_LEVEL'],
      [{ WORKER_TYPE: 'tpu' }, [], 'WORKER_TYPE'],
      [{ HEDGEROW_SERVICES: 'NER!' }, [], 'HEDGEROW_SERVICES'],
      [{ HEDGEROW_MESH: 'My Mesh' }, [], 'HEDGEROW_MESH'],
      [{ HEDGEROW_DATA_DIR: join(file, 'below') }, [], 'HEDGEROW_DATA_DIR'],
      [{ HEDGEROW_INVITE: 'abc' }, [], 'HEDGEROW_INVITE'],
      [{}, ['--config', join(dir, 'bad.yaml')], 'http_port'],
      [{}, ['--config', join(dir, 'unknown.yaml')], 'http_prot'],
      [{}, ['--config', join(dir, 'broken.yaml')], 'broken.yaml'],
      [{}, ['--config', join(dir, 'missing.yaml')], 'missing.yaml'],
      [{}, ['--no-such-option'], '--no-such-option']
    ]
    for (const [env, args, named] of cases) {
      const { code, stdout, stderr } = await run(DAEMON, args, { HEDGEROW_DATA_DIR: join(dir, 'data'), ...env })
      assert.equal(code, 2, `${named}: ${stderr}`)
      assert.equal(stdout, '')
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
      assert.ok(stderr.includes(named), stderr)
    }
  })

  it('say that a port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    assert.ok(address != null && typeof address === 'object')
    const HEDGEROW_HTTP_PORT = String(address.port)
    for (const program of [DAEMON, RELAY]) {
      const { code, stderr } = await run(program, [], {
        HEDGEROW_DATA_DIR: join(dir, 'data'),
        HEDGEROW_HTTP_PORT,
        LOG_LEVEL: 'silent',
        HEDGEROW_MDNS: 'false',
        HEDGEROW_LISTEN: '/ip4/127.0.0.1/tcp/0'
      })
      assert.equal(code, 2, stderr)
      assert.match(stderr, /^HEDGEROW_HTTP_PORT: port \d+ is in use/)
    }
    const start = await run(join(root, 'scripts/setup.mjs'), ['scripts/start.ts'], {
      HEDGEROW_DATA_DIR: join(dir, 'start'),
      HEDGEROW_HTTP_PORT
    })
    assert.equal(start.code, 2)
    assert.match(start.stderr, /HEDGEROW_HTTP_PORT: port \d+ is in use/)
    assert.equal(start.stdout, '')
    taken.close()
  })

  it('leave out a service whose manifest is wrong, and say what is wrong with it', async () => {
    const services = join(dir, 'services')
    await rm(services, { recursive: true, force: true })
    await writeFile(join(dir, 'wrong.yaml'), 'name: Wrong Name\ntier: cpu\n')
    const child = spawn(process.execPath, [DAEMON], {
      env: {
        PATH: process.env.PATH,
        HOME: dir,
        HEDGEROW_DATA_DIR: join(dir, 'data2'),
        HEDGEROW_HTTP_PORT: '0',
        HEDGEROW_MDNS: 'false',
        HEDGEROW_LISTEN: '/ip4/127.0.0.1/tcp/0',
        HEDGEROW_FORBID_SERVICES: '*',
        HEDGEROW_SERVICES_DIR: join(dir, 'wrong.yaml')
      },
      stdio: ['ignore', 'ignore', 'pipe']
    })
    let stderr = ''
    child.stderr.on('data', chunk => (stderr += chunk))
    try {
      const deadline = performance.now() + 15_000
      while (!stderr.includes('worker is up') && performance.now() < deadline)
        await new Promise(resolve => setTimeout(resolve, 50))
      assert.match(stderr, /wrong\.yaml:1: name: /)
      assert.match(stderr, /worker is up/)
    } finally {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    assert.equal(child.exitCode, 0)
  })
})
