import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@hedgerow/daemon/startup'
import { until } from '../src/harness.ts'

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

/** The first of several free ports in a row, below those that systems give out by themselves. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000)
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening')
    probe.close()
    return true
  } catch {
    return false
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
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
      [{ HEDGEROW_ICE_SERVERS: 'stun.example.org' }, [], 'HEDGEROW_ICE_SERVERS'],
      [{}, ['--ice-servers', 'turn:host:3478'], '--ice-servers'],
      [{ LOG_LEVEL: 'loud' }, [], 'LOG_LEVEL'],
      [{ WORKER_TYPE: 'tpu' }, [], 'WORKER_TYPE'],
      [{ HEDGEROW_SERVICES: 'NER!' }, [], 'HEDGEROW_SERVICES'],
      [{ HEDGEROW_SERVICES: 'nar' }, [], 'HEDGEROW_SERVICES: there is no service nar; did you mean ner?'],
      [{ HEDGEROW_FORBID_SERVICES: 'nope' }, [], 'HEDGEROW_FORBID_SERVICES: there is no service nope; there are: '],
      [{ HEDGEROW_SERVICES_DIR: join(dir, 'nowhere') }, [], 'HEDGEROW_SERVICES_DIR'],
      [{ HEDGEROW_MESH: 'My Mesh' }, [], 'HEDGEROW_MESH'],
      [{ HEDGEROW_DATA_DIR: join(file, 'below') }, [], 'HEDGEROW_DATA_DIR'],
      [{ HEDGEROW_DATA_DIR: '/proc/hedgerow' }, [], 'HEDGEROW_DATA_DIR'],
      [{ HEDGEROW_INVITE: 'abc' }, [], 'HEDGEROW_INVITE'],
      [{}, ['--config', join(dir, 'bad.yaml')], 'http_port'],
      [{}, ['--config', join(dir, 'unknown.yaml')], 'http_prot'],
      [{}, ['--config', join(dir, 'broken.yaml')], 'broken.yaml'],
      [{}, ['--config', join(dir, 'missing.yaml')], '--config: '],
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
    const taken = createServer().listen(0, '127.0.0.1').unref()
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

  /** A program that runs until it is ended, and what it has said. */
  const starting = (program: string, env: Record<string, string>): { child: ChildProcess; said(): string } => {
    const child = spawn(process.execPath, [program], {
      env: {
        PATH: process.env.PATH,
        HOME: dir,
        HEDGEROW_HTTP_PORT: '0',
        HEDGEROW_MDNS: 'false',
        HEDGEROW_LISTEN: '/ip4/127.0.0.1/tcp/0',
        HEDGEROW_FORBID_SERVICES: '*',
        ...env
      },
      stdio: ['pipe', 'ignore', 'pipe']
    })
    let stderr = ''
    child.stderr?.on('data', chunk => (stderr += chunk))
    return { child, said: () => stderr }
  }
  const says = (peer: ReturnType<typeof starting>, what: string): Promise<true> =>
    until(`it says ${what}: ${peer.said()}`, async () => peer.said().includes(what) || undefined)
  const end = async ({ child }: ReturnType<typeof starting>): Promise<unknown> => {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    return (await exited)[0]
  }

  it('keep a data directory to themselves as long as they live', async () => {
    const HEDGEROW_DATA_DIR = join(dir, 'kept')
    const first = starting(DAEMON, { HEDGEROW_DATA_DIR })
    await says(first, 'worker is up')
    const second = await run(DAEMON, [], { HEDGEROW_DATA_DIR, HEDGEROW_HTTP_PORT: '0' })
    assert.equal(second.code, 2)
    assert.match(second.stderr, /^HEDGEROW_DATA_DIR: another process/)
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const third = starting(DAEMON, { HEDGEROW_DATA_DIR })
    await says(third, 'worker is up')
    assert.equal(await end(third), 0)
  })

  it('do not close a directory that belongs to all', async () => {
    const shared = join(dir, 'shared')
    await mkdir(shared)
    await chmod(shared, 0o1777)
    const { code, stderr } = await run(DAEMON, [], { HEDGEROW_DATA_DIR: shared })
    assert.equal(code, 2)
    assert.match(stderr, /^HEDGEROW_DATA_DIR: /)
    assert.equal((await stat(shared)).mode & 0o7777, 0o1777)
  })

  it('name the address that they can not listen on', async () => {
    for (const HEDGEROW_HTTP_HOST of ['192.0.2.1', 'no-such-host.invalid'])
      for (const program of [DAEMON, RELAY]) {
        const { code, stderr } = await run(program, [], {
          HEDGEROW_DATA_DIR: join(dir, 'data'),
          HEDGEROW_HTTP_HOST,
          HEDGEROW_HTTP_OPEN: 'true',
          HEDGEROW_HTTP_PORT: '0',
          LOG_LEVEL: 'silent'
        })
        assert.equal(code, 2, stderr)
        assert.match(stderr, /^HEDGEROW_HTTP_HOST: [^\n]+\n$/)
      }
    const { code, stderr } = await run(RELAY, [], {
      HEDGEROW_DATA_DIR: join(dir, 'data'),
      HEDGEROW_URL: '/ip4/1.2.3.4'
    })
    assert.equal(code, 2)
    assert.match(stderr, /^HEDGEROW_URL: [^\n]+\n$/)
  })

  it('end at once when they are told to, or left alone, before they have found a relay', async () => {
    const env = {
      HEDGEROW_DATA_DIR: join(dir, 'waiting'),
      HEDGEROW_RELAY: 'http://127.0.0.1:9',
      HEDGEROW_PARENT: 'stdin'
    }
    const port = await freePort()
    const told = starting(DAEMON, { ...env, HEDGEROW_HTTP_PORT: String(port) })
    await says(told, 'relay not reachable')
    const health = await fetch(`http://127.0.0.1:${port}/health`)
    assert.equal(health.status, 503)
    assert.equal((await health.json()).status, 'starting')
    const early = await fetch(`http://127.0.0.1:${port}/service/ner`, { method: 'POST' })
    assert.deepEqual([early.status, (await early.json()).code], [503, 'Starting'])
    assert.equal(await end(told), 0)
    const alone = starting(DAEMON, env)
    await says(alone, 'relay not reachable')
    const exited = once(alone.child, 'exit')
    alone.child.stdin?.end()
    assert.deepEqual(await exited, [0, null])
  })

  describe('a whole mesh', function () {
    this.timeout(120_000)
    const started: ChildProcess[] = []
    after(() => {
      for (const { pid, exitCode, signalCode } of started)
        if (pid != null && exitCode == null && signalCode == null) process.kill(-pid, 'SIGKILL')
    })

    /** `npm start` without npm: a shell that starts it, in a process group of its own. */
    const startMesh = async (): Promise<{ shell: ChildProcess; pids: number[]; ended: Promise<unknown> }> => {
      const command = `"${process.execPath}" scripts/setup.mjs scripts/start.ts; exit $?`
      const shell = spawn('sh', ['-c', command], {
        cwd: root,
        detached: true,
        env: {
          PATH: process.env.PATH,
          HOME: dir,
          HEDGEROW_HTTP_PORT: String(await freePorts(4)),
          HEDGEROW_DATA_DIR: join(dir, `mesh-${started.length}`),
          HEDGEROW_FORBID_SERVICES: '*'
        },
        stdio: ['ignore', 'pipe', 'inherit']
      })
      started.push(shell)
      let stdout = ''
      shell.stdout?.on('data', chunk => (stdout += chunk))
      const found = async (): Promise<RegExpExecArray[] | false> => {
        const lines = [...stdout.matchAll(/^peer (\S+) .*\bpid=(\d+)/gm)]
        return lines.length === 4 && lines
      }
      const lines = await until('all peers are up', found, 60_000)
      assert.deepEqual(
        lines.map(([, name]) => name),
        ['relay', 'worker-1', 'worker-2', 'worker-3']
      )
      return { shell, pids: lines.map(([, , pid]) => Number(pid)), ended: once(shell, 'exit') }
    }
    const allGone = (pids: number[]): Promise<true> =>
      until('every peer is gone', async () => pids.every(pid => !isRunning(pid)) || undefined, 60_000)

    it('ends when what started it is gone', async () => {
      const { shell, pids } = await startMesh()
      shell.kill('SIGKILL')
      await allGone(pids)
    })

    it('ends in order by a Ctrl-C that reaches it several times', async () => {
      const { shell, pids, ended } = await startMesh()
      process.kill(-(shell.pid ?? 0), 'SIGINT')
      process.kill(-(shell.pid ?? 0), 'SIGINT')
      await ended
      await allGone(pids)
    })
  })

  it('start with rubbish in their data directory, but not as somebody else', async () => {
    const HEDGEROW_DATA_DIR = join(dir, 'rubbish')
    await mkdir(join(HEDGEROW_DATA_DIR, 'p2p-port'), { recursive: true })
    await writeFile(join(HEDGEROW_DATA_DIR, 'known-peers.json'), '[["/ip4/1.2.3.4/tcp/1"],["nonsense"],[7],{},null]')
    await mkdir(join(HEDGEROW_DATA_DIR, 'mesh'))
    const peer = starting(DAEMON, { HEDGEROW_DATA_DIR, HEDGEROW_LISTEN: '' })
    await says(peer, 'worker is up')
    assert.equal(await end(peer), 0)
    await writeFile(join(HEDGEROW_DATA_DIR, 'identity.key'), '')
    const { code, stderr } = await run(DAEMON, [], { HEDGEROW_DATA_DIR })
    assert.equal(code, 2)
    assert.match(stderr, /identity\.key/)
  })
})
