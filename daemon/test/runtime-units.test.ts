import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import type { HealthSpec } from '../src/manifest/index.ts'
import { AnswerBody } from '../src/runtime/answer-body.ts'
import { backoff } from '../src/runtime/backoff.ts'
import { BACKOFF_BASE, BACKOFF_MAX, HIGH_WATER, MAX_LINE, STABLE_AFTER } from '../src/runtime/constants.ts'
import { parseLine } from '../src/runtime/forward.ts'
import { judge, type ProbeResult, type Situation } from '../src/runtime/health.ts'
import type { Launched, Launcher } from '../src/runtime/launcher.ts'
import { readLines } from '../src/runtime/lines.ts'
import { freePort } from '../src/runtime/ports.ts'
import { Supervisor } from '../src/runtime/supervisor.ts'
import { Watchdog } from '../src/runtime/watchdog.ts'
import { FakeClock } from './support/clock.ts'
import { until } from './support/runtime.ts'

describe('what a probe means', () => {
  const health: HealthSpec = { path: '/health', interval: 5000, timeout: 2000, start: 30_000 }
  const base: Situation = { state: 'healthy', failures: 0, age: 60_000, busy: false, restartable: true }
  const silent: ProbeResult = { kind: 'silent', reason: 'silence' }
  const failed: ProbeResult = { kind: 'failed', reason: 'refused' }
  const notReady: ProbeResult = { kind: 'not-ready', reason: '503' }

  const table: Array<[string, Partial<Situation>, ProbeResult, { state: string; restart: boolean }]> = [
    [
      'healthy, whatever was before',
      { state: 'unhealthy', failures: 9 },
      { kind: 'healthy' },
      { state: 'healthy', restart: false }
    ],
    ['one failure is forgiven', {}, silent, { state: 'healthy', restart: false }],
    ['two are not', { failures: 1 }, failed, { state: 'unhealthy', restart: false }],
    ['three end it', { state: 'unhealthy', failures: 2 }, silent, { state: 'unhealthy', restart: true }],
    [
      'three do not end what is not ours',
      { state: 'unhealthy', failures: 2, restartable: false },
      failed,
      { state: 'unhealthy', restart: false }
    ],
    [
      'three do not end one that works in silence',
      { state: 'unhealthy', failures: 2, busy: true },
      silent,
      { state: 'unhealthy', restart: false }
    ],
    [
      'three end one that refuses connections, busy or not',
      { state: 'unhealthy', failures: 2, busy: true },
      failed,
      { state: 'unhealthy', restart: true }
    ],
    ['not ready is believed at once', {}, notReady, { state: 'unhealthy', restart: false }],
    ['not ready never ends it', { state: 'unhealthy', failures: 9 }, notReady, { state: 'unhealthy', restart: false }],
    ['a start takes its time', { state: 'starting', age: 29_000 }, failed, { state: 'starting', restart: false }],
    [
      'a start that takes too long ends it',
      { state: 'starting', age: 30_000 },
      failed,
      { state: 'unhealthy', restart: true }
    ],
    [
      'a start that is said to take longer does not',
      { state: 'starting', age: 30_000 },
      notReady,
      { state: 'unhealthy', restart: false }
    ],
    [
      'nor one that is not ours',
      { state: 'starting', age: 30_000, restartable: false },
      failed,
      { state: 'unhealthy', restart: false }
    ]
  ]
  for (const [what, situation, result, expected] of table) {
    it(what, () => {
      const { state, restart } = judge({ ...base, ...situation }, result, health)
      assert.deepEqual({ state, restart: restart != null }, expected)
    })
  }

  it('looks often at first, then less, and never past the end of the start', () => {
    const wait = (age: number): number => judge({ ...base, state: 'starting', age }, failed, health).wait
    assert.equal(wait(0), 50)
    assert.ok(wait(1000) > wait(100))
    assert.equal(wait(20_000), 1000)
    assert.equal(wait(29_900), 100)
  })
})

describe('the wait before a restart', () => {
  it('doubles up to a limit, and is left to chance by half', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map(attempt => backoff(attempt, 0)),
      [1, 2, 4, 8].map(factor => BACKOFF_BASE * factor)
    )
    assert.equal(backoff(1000, 0), BACKOFF_MAX)
    assert.equal(backoff(0, 1), BACKOFF_BASE / 2)
  })

  describe('as a supervisor keeps it', () => {
    let server: Server
    let origin: string
    before(async () => {
      server = createServer((_request, response) => response.end())
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      origin = `http://127.0.0.1:${address != null && typeof address === 'object' ? address.port : 0}`
    })
    after(() => server.close())

    it('grows with each failure, and is short again after a stable time', async () => {
      const clock = new FakeClock()
      let crash: (how: string) => void = () => {}
      const launcher: Launcher = {
        type: 'process',
        restartable: true,
        stderr: () => [],
        async launch(): Promise<Launched> {
          const ended = new Promise<string>(resolve => {
            crash = resolve
          })
          return { target: { protocol: 'http', origin, prefix: '' }, ended, stop: async () => {} }
        }
      }
      const health = { path: '/', interval: 1e9, timeout: 5000, start: 5000 }
      const components = { clock, random: () => 0, log: pino({ level: 'silent' }) }
      const supervisor = new Supervisor({ health }, launcher, components, () => false)
      supervisor.start()
      const crashAndMeasure = async (): Promise<number> => {
        await until('it is healthy', () => supervisor.state === 'healthy')
        crash('boom')
        await until('it backs off', () => supervisor.state === 'backing-off')
        let waited = 0
        for (; supervisor.state === 'backing-off'; waited += 50) clock.advance(50)
        return waited
      }
      assert.deepEqual([await crashAndMeasure(), await crashAndMeasure(), await crashAndMeasure()], [250, 500, 1000])
      await until('it is healthy', () => supervisor.state === 'healthy')
      clock.advance(STABLE_AFTER)
      assert.equal(await crashAndMeasure(), 250)
      assert.equal(supervisor.report().restarts, 4)
      await supervisor.stop()
      assert.equal(clock.pending, 0)
      assert.equal(supervisor.state, 'stopped')
    })
  })
})

describe("a backend's lines", () => {
  const collect = (): { stream: PassThrough; lines: string[] } => {
    const stream = new PassThrough()
    const lines: string[] = []
    readLines(stream, line => lines.push(line))
    return { stream, lines }
  }

  it('are put together from pieces, with characters cut in two', async () => {
    const { stream, lines } = collect()
    const bytes = Buffer.from('first £ line\r\nsecond\n\nlast')
    for (const byte of bytes) stream.write(Buffer.from([byte]))
    stream.end()
    await until('all is read', () => lines.length === 3)
    assert.deepEqual(lines, ['first £ line', 'second', 'last'])
  })

  it('are cut when they are too long', async () => {
    const { stream, lines } = collect()
    for (let i = 0; i < 100; i++) stream.write('x'.repeat(1000))
    stream.end('\nnext\n')
    await until('all is read', () => lines.length === 2)
    assert.equal(lines[0]?.length, MAX_LINE + `... (${100_000 - MAX_LINE} characters more)`.length)
    assert.equal(lines[1], 'next')
  })

  for (const [line, expected] of [
    ['{"level":30,"time":1,"msg":"ready","port":1}', { level: 'info', message: 'ready', fields: { port: 1 } }],
    ['{"level":"ERROR","message":"no"}', { level: 'error', message: 'no' }],
    ['{"level":35,"msg":"x"}', { level: 'info', message: 'x' }],
    ['{"level":9000,"msg":"x"}', { level: 'fatal', message: 'x' }],
    ['{"a":1}', { level: 'info', message: '{"a":1}' }],
    ['{broken', { level: 'info', message: '{broken' }],
    ['[1]', { level: 'info', message: '[1]' }],
    ['WARNING:root:low', { level: 'warn', message: 'WARNING:root:low' }],
    ['[ERROR] no', { level: 'error', message: '[ERROR] no' }],
    ['constructor', { level: 'info', message: 'constructor' }],
    ['errors are fine', { level: 'info', message: 'errors are fine' }]
  ] as const) {
    it(`have a level: ${line}`, () => assert.deepEqual(parseLine(line), expected))
  }
})

describe('a watchdog', () => {
  const watch = (limit: number, deadline?: number) => {
    const clock = new FakeClock()
    const expired: boolean[] = []
    return { clock, expired, watchdog: new Watchdog(clock, limit, deadline, past => expired.push(past)) }
  }

  it('barks when nothing happens for too long', () => {
    const { clock, expired, watchdog } = watch(100)
    clock.advance(90)
    watchdog.touch()
    clock.advance(90)
    watchdog.touch()
    clock.advance(99)
    assert.deepEqual(expired, [])
    clock.advance(1)
    assert.deepEqual(expired, [false])
    assert.equal(clock.pending, 0)
  })

  it('takes another limit, shorter or longer', () => {
    const { clock, expired, watchdog } = watch(1000)
    watchdog.wait(10)
    clock.advance(9)
    watchdog.wait(500)
    clock.advance(499)
    assert.deepEqual(expired, [])
    clock.advance(1)
    assert.deepEqual(expired, [false])
  })

  it('barks at the deadline whatever happens', () => {
    const { clock, expired, watchdog } = watch(100, 250)
    for (let i = 0; i < 5; i++) {
      clock.advance(50)
      watchdog.touch()
    }
    assert.deepEqual(expired, [true])
  })

  it('keeps still when it is stopped', () => {
    const { clock, expired, watchdog } = watch(100)
    watchdog.stop()
    watchdog.wait(10)
    clock.advance(1000)
    assert.deepEqual(expired, [])
    assert.equal(clock.pending, 0)
  })
})

describe('the body of an answer', () => {
  const open = () => {
    const calls: string[] = []
    return { calls, body: new AnswerBody({ resume: () => calls.push('resume'), leave: () => calls.push('leave') }) }
  }

  it('asks for more when its reader has caught up, and not before', async () => {
    const { body, calls } = open()
    const piece = new Uint8Array(HIGH_WATER / 4)
    assert.deepEqual(
      [1, 2, 3, 4].map(() => body.push(piece)),
      [true, true, true, false]
    )
    await body.next()
    await body.next()
    assert.deepEqual(calls, [])
    await body.next()
    assert.deepEqual(calls, ['resume'])
  })

  it('gives what came before an error, then the error, each time', async () => {
    const { body } = open()
    body.push(new Uint8Array([1]))
    body.fail(new Error('broken'))
    assert.deepEqual(await body.next(), { done: false, value: new Uint8Array([1]) })
    await assert.rejects(body.next(), /broken/)
    await assert.rejects(body.next(), /broken/)
    assert.equal(body.complete, undefined)
  })

  it('says when its reader leaves, unless all had come', async () => {
    const first = open()
    first.body.push(new Uint8Array(1))
    await first.body.return()
    assert.deepEqual(first.calls, ['leave'])
    assert.equal((await first.body.next()).done, true)
    const second = open()
    second.body.end()
    await second.body.return()
    assert.deepEqual(second.calls, [])
  })

  it('is complete when it has ended, in one piece', () => {
    const { body } = open()
    body.push(new Uint8Array([1, 2]))
    body.push(new Uint8Array([3]))
    assert.equal(body.complete, undefined)
    body.end()
    assert.deepEqual([...(body.complete ?? [])], [1, 2, 3])
  })
})

describe('a free port', () => {
  it('is one that can be listened on, and not one that is taken', async () => {
    const taken = await freePort('127.0.0.1', () => 0.5)
    const server = createServer()
    await new Promise<void>(resolve => server.listen(taken, '127.0.0.1', resolve))
    try {
      let tries = 0
      const port = await freePort('127.0.0.1', () => (++tries === 1 ? (taken - 20_000 + 0.5) / 12_768 : Math.random()))
      assert.notEqual(port, taken)
    } finally {
      server.close()
    }
  })
})
