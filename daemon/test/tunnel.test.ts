import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { restartDelay } from '../src/tunnel/backoff.ts'
import { tunnelArguments, tunnelEnvironment } from '../src/tunnel/command.ts'
import { KEPT_LINES, LINE_LENGTH, MAX_LINES_PER_SECOND, TIMING } from '../src/tunnel/constants.ts'
import { readQuickTunnel } from '../src/tunnel/endpoint.ts'
import {
  createTunnel,
  type Timing,
  type Tunnel,
  type TunnelInit,
  type TunnelProblemCode,
  type TunnelState,
  type TunnelStatus
} from '../src/tunnel/index.ts'
import { Output } from '../src/tunnel/output.ts'
import { cannotRun, ended, noConnection } from '../src/tunnel/problem.ts'
import { type Script, type StandIn, standIn } from './support/cloudflared.ts'

/** Everything soon, so that a test is over soon; nothing is asserted of how long it takes. */
const SOON: Partial<Timing> = {
  poll: 20,
  watch: 20,
  backoff: 20,
  maxBackoff: 100,
  rateLimited: 20,
  grace: 500
}

const NAME = 'some-words-here.trycloudflare.com'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a tunnel', function () {
  this.timeout(30_000)
  let program: StandIn
  let tunnel: Tunnel
  let lines: Array<{ level: number; msg: string }>
  let states: TunnelState[]

  const start = async (
    script: Script,
    timing: Partial<Timing> = {},
    init: Partial<Extract<TunnelInit, { mode: 'named' }>> | { program: string } = {}
  ): Promise<void> => {
    program = await standIn(script)
    lines = []
    states = []
    const log = pino({ level: 'debug' }, { write: text => void lines.push(JSON.parse(text)) })
    const common = { port: 1, program: program.program, timing: { ...SOON, ...timing } }
    const named = 'token' in init && init.token != null ? { url: 'https://mesh.example.org', token: init.token } : null
    tunnel = createTunnel(
      named == null
        ? { mode: 'quick', ...common, ...('program' in init ? { program: init.program ?? '' } : {}) }
        : { mode: 'named', ...common, ...named },
      { log }
    )
    tunnel.addListener(() => states.push(tunnel.status().state))
    tunnel.start()
  }

  const becomes = async (what: string, is: (status: TunnelStatus) => boolean): Promise<TunnelStatus> => {
    for (const end = performance.now() + 15_000; performance.now() < end; await sleep(10))
      if (is(tunnel.status())) return tunnel.status()
    throw new Error(`${what}: it is ${JSON.stringify(tunnel.status())}`)
  }
  const ready = (url = `https://${NAME}`): Promise<TunnelStatus> =>
    becomes('ready', status => status.state === 'ready' && status.url === url)
  const failsWith = (code: TunnelProblemCode): Promise<TunnelStatus> =>
    becomes(code, status => status.state === 'backing-off' && status.problem?.code === code)

  afterEach(async () => {
    await tunnel?.stop()
    await program?.remove()
  })

  it('is ready with the name that the program has got, and stops with it', async () => {
    await start({ does: 'work', hostname: NAME })
    assert.deepEqual(await ready(), { state: 'ready', url: `https://${NAME}` })
    assert.deepEqual(states, ['starting', 'ready'])
    const [{ pid, args } = { pid: 0, args: [] }] = await program.starts()
    assert.deepEqual([args[0], args.at(-2), args.at(-1)], ['tunnel', '--url', 'http://127.0.0.1:1'])
    await tunnel.stop()
    assert.equal(isAlive(pid), false)
    assert.deepEqual(tunnel.status(), { state: 'stopped' })
  })

  it('waits until the program is connected, and until it has a name', async () => {
    await start({ does: 'work', ready: false, hostname: NAME }, { slow: 100 })
    const { url } = await becomes('slow', ({ problem }) => problem != null)
    assert.equal(url, undefined)
    assert.equal(tunnel.status().problem?.code, 'no-connection')
    await program.change({ ready: true, hostname: '' })
    await sleep(100)
    assert.equal(tunnel.status().state, 'starting')
    await program.change({ hostname: NAME })
    assert.equal((await ready()).problem, undefined)
  })

  it('notices another name, and that the connection is lost and comes back', async () => {
    await start({ does: 'work', hostname: NAME })
    await ready()
    await program.change({ hostname: 'other.trycloudflare.com' })
    await ready('https://other.trycloudflare.com')
    await program.change({ ready: false })
    const lost = await becomes('lost', ({ state }) => state === 'disconnected')
    assert.deepEqual([lost.url, lost.problem?.code], [undefined, 'no-connection'])
    await program.change({ ready: true })
    await ready('https://other.trycloudflare.com')
    assert.equal(tunnel.restarts, 0)
  })

  it('starts the program again when it was killed, and takes its new name', async () => {
    await start({ does: 'work', hostname: NAME })
    await ready()
    await program.change({ hostname: 'next.trycloudflare.com' })
    await ready('https://next.trycloudflare.com')
    const [{ pid } = { pid: 0 }] = await program.starts()
    await program.change({ hostname: 'after.trycloudflare.com' })
    process.kill(pid, 'SIGKILL')
    await ready('https://after.trycloudflare.com')
    assert.equal(tunnel.restarts, 1)
    assert.ok(states.includes('backing-off'))
    assert.equal((await program.starts()).length, 2)
  })

  for (const [does, code, advice] of [
    ['rate-limited', 'rate-limited', /HEDGEROW_TUNNEL=named/],
    ['no-network', 'no-network', /DNS.*7844/],
    ['exit', 'exited', /exited with code 1: .*nobody has foreseen/]
  ] as const)
    it(`says what is wrong and tries again: ${does}`, async () => {
      await start({ does, hostname: NAME })
      const { problem, url } = await failsWith(code)
      assert.match(problem?.message ?? '', advice)
      assert.equal(url, undefined)
      await becomes('tried again', () => tunnel.restarts > 1)
      // Once, however often it is tried.
      assert.equal(lines.filter(({ msg }) => msg.startsWith('the tunnel is down')).length, 1)
      await program.change({ does: 'work' })
      assert.equal((await ready()).problem, undefined)
    })

  it('says which package to install where the program is missing', async () => {
    await start({ does: 'work' }, {}, { program: '/nowhere/cloudflared' })
    const { problem } = await failsWith('missing-program')
    assert.match(problem?.message ?? '', /install the package cloudflared.*HEDGEROW_CLOUDFLARED/)
  })

  it('takes a program that answers nothing for hung, and ends it though it is deaf', async () => {
    await start({ does: 'hang', hostname: NAME }, { silence: 300, grace: 100 })
    await failsWith('hung')
    const [{ pid } = { pid: 0 }] = await program.starts()
    assert.equal(isAlive(pid), false)
    await program.change({ does: 'work' })
    await ready()
  })

  it('starts one anew that never gets a connection, and says what it wrote of it', async () => {
    await start({ does: 'work', ready: false, hostname: NAME }, { patience: 400 })
    await failsWith('no-connection')
    await becomes('tried again', () => tunnel.restarts > 0)
  })

  it('says that the network is missing while the program still tries', async () => {
    await start({ does: 'silent', hostname: NAME }, { slow: 100 })
    await becomes('known', ({ state, problem }) => state === 'starting' && problem?.code === 'no-network')
  })

  it('gives a named tunnel its token by the environment alone, and its log never', async () => {
    let token = 'eyJhIjoib25lIn0'
    await start({ does: 'bad-token' }, {}, { token: async () => token })
    await failsWith('bad-token')
    token = 'eyJhIjoidHdvIn0'
    await program.change({ does: 'work' })
    await ready('https://mesh.example.org')
    const starts = await program.starts()
    assert.deepEqual([starts[0]?.token, starts.at(-1)?.token], ['eyJhIjoib25lIn0', 'eyJhIjoidHdvIn0'])
    assert.ok(starts.every(({ args }) => !args.join(' ').includes('eyJ') && args.at(-1) === 'run'))
    assert.ok(lines.some(({ msg }) => msg.includes('(token)')))
    assert.ok(!JSON.stringify(lines).includes('eyJ'))
  })

  it('says why there is no token, and asks for one again', async () => {
    let file: Error | undefined = new Error('HEDGEROW_TUNNEL_TOKEN_FILE: it is gone')
    await start(
      { does: 'work' },
      {},
      {
        token: async () => {
          if (file != null) throw file
          return 'secret'
        }
      }
    )
    assert.match((await failsWith('bad-token')).problem?.message ?? '', /it is gone/)
    assert.deepEqual(await program.starts(), [])
    file = undefined
    await ready('https://mesh.example.org')
  })

  it('is not moved by a program that writes without end', async () => {
    await start({ does: 'flood', hostname: NAME })
    await ready()
    const seconds = new Set(lines.map(line => Math.floor(Number(Object(line).time) / 1000))).size
    const written = lines.filter(({ msg }) => msg.startsWith('cloudflared: ')).length
    assert.ok(written > 0 && written <= MAX_LINES_PER_SECOND * (seconds + 1), `${written} lines in ${seconds} s`)
  })

  it('stops while it waits to start again, and while it starts', async () => {
    await start({ does: 'exit' }, { backoff: 60_000, maxBackoff: 60_000 })
    await failsWith('exited')
    await tunnel.stop()
    assert.equal(tunnel.status().state, 'stopped')
    await program.remove()
    await start({ does: 'work', ready: false })
    await tunnel.stop()
    assert.ok((await program.starts()).every(({ pid }) => !isAlive(pid)))
  })
})

describe('what is known of a tunnel', () => {
  it('reads names of quick tunnels, and nothing else', () => {
    const read = (hostname: unknown): string | undefined => readQuickTunnel(Buffer.from(JSON.stringify({ hostname })))
    assert.equal(read(NAME), `https://${NAME}`)
    assert.equal(read('mesh.test:8443'), 'https://mesh.test:8443')
    for (const bad of [
      '',
      'localhost',
      '1.2.3.4',
      'a..b',
      'x.y/z',
      'u@x.org',
      'x.org:99999',
      'é.org',
      `${'a'.repeat(250)}.org`,
      5,
      null
    ])
      assert.equal(read(bad), undefined, String(bad))
    for (const bad of ['', '{', 'null', '[]', '{}']) assert.equal(readQuickTunnel(Buffer.from(bad)), undefined, bad)
  })

  it('passes on none of the environment but what the program needs', () => {
    const env = tunnelEnvironment({ PATH: '/bin', HEDGEROW_INVITE: 'x', AWS_SECRET: 'y', TUNNEL_URL: 'z' }, 'token')
    assert.deepEqual(env, { PATH: '/bin', TUNNEL_TOKEN: 'token' })
    assert.deepEqual(tunnelArguments({ mode: 'named', port: 1 }, 2).slice(-3), ['--protocol', 'http2', 'run'])
  })

  it('waits longer each time, up to a bound, and longest when told to', () => {
    assert.equal(restartDelay(0, 'exited', 0, TIMING), TIMING.backoff)
    assert.equal(restartDelay(3, 'exited', 0, TIMING), TIMING.backoff * 8)
    assert.equal(restartDelay(1000, 'exited', 0, TIMING), TIMING.maxBackoff)
    assert.ok(restartDelay(1000, 'exited', 0.99, TIMING) >= TIMING.maxBackoff / 2)
    assert.ok(restartDelay(0, 'rate-limited', 0, TIMING) >= TIMING.rateLimited)
    assert.ok(restartDelay(0, 'rate-limited', 0.5, TIMING) > TIMING.rateLimited)
  })

  it('takes what went wrong from what the program wrote', () => {
    const codes = (mode: 'quick' | 'named', line: string): string[] => [
      ended(mode, 'exited with code 1', [line]).code,
      noConnection(mode, [line]).code
    ]
    const tokens = [
      'Provided Tunnel token is not valid.',
      'Register tunnel error error="Unauthorized: Tunnel not found"'
    ]
    for (const line of tokens) assert.deepEqual(codes('named', line), ['bad-token', 'bad-token'])
    assert.deepEqual(codes('quick', 'status_code="429 Too Many Requests"'), ['rate-limited', 'rate-limited'])
    assert.deepEqual(codes('named', 'dial tcp 198.51.100.1:7844: i/o timeout'), ['no-network', 'no-network'])
    // That is this peer's own listener, not the network.
    const origin =
      'ERR error="dial tcp 127.0.0.1:8090: connect: connection refused" originService=http://127.0.0.1:8090'
    assert.deepEqual(codes('quick', origin), ['exited', 'no-connection'])
    assert.equal(
      ended('quick', 'was killed by SIGKILL', []).message,
      'cloudflared was killed by SIGKILL and wrote nothing'
    )
    assert.equal(cannotRun('x', Object.assign(new Error('no'), { code: 'EACCES' })).code, 'not-runnable')
  })

  it('keeps few and short lines, without what moves a cursor', () => {
    let time = 0
    const logged: string[] = []
    const log = pino({ level: 'trace' }, { write: text => void logged.push(text) })
    const output = new Output(log, undefined, () => time)
    for (let i = 0; i < 1000; i++) output.add(`\u001b[31m${i} ${'x'.repeat(1000)}`)
    assert.equal(output.kept().length, KEPT_LINES)
    assert.ok(output.kept().every(line => line.length <= LINE_LENGTH && !line.includes('\u001b')))
    assert.equal(logged.length, MAX_LINES_PER_SECOND)
    time = 1000
    output.add('2026-01-01T00:00:00Z ERR another')
    assert.equal(logged.length, MAX_LINES_PER_SECOND + 1)
    assert.equal(JSON.parse(logged.at(-1) ?? '').level, 40)
  })
})
