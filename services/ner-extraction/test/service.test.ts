import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServiceApp } from '@hedgerow/service-kit'
import { parse } from 'yaml'
import { nerApp } from '../src/app.ts'
import { MAX_TEXT } from '../src/limits.ts'
import { ReadingThread } from '../src/thread/reading-thread.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

describe('POST /extract', () => {
  let app: ServiceApp
  before(async () => {
    process.env.LOG_LEVEL = 'silent'
    app = await nerApp(await ReadingThread.start(), '0.0.0')
  })
  after(() => app.close())

  const post = async (payload: string | object, headers: Record<string, string> = JSON_TYPE) => {
    const response = await app.inject({ method: 'POST', url: '/extract', payload, headers })
    return { status: response.statusCode, type: response.headers['content-type'], body: response.json() }
  }

  it('answers the entities with their places, sources and confidence', async () => {
    const text = 'Mrs Jane Smith owes Barclays £1,250.00 😀 since 3 March 2024'
    const { status, body } = await post({ text })
    assert.equal(status, 200)
    assert.deepEqual(
      body.entities.map(({ type, text, source }: Record<string, string>) => [type, text, source]),
      [
        ['PERSON', 'Jane Smith', 'rule'],
        ['ORG', 'Barclays', 'gazetteer'],
        ['MONEY', '£1,250.00', 'rule'],
        ['DATE', '3 March 2024', 'rule']
      ]
    )
    for (const entity of body.entities) assert.equal(text.slice(entity.start, entity.end), entity.text)
  })

  it('takes the text as `content` too, and an empty one', async () => {
    assert.equal((await post({ content: 'owes £5' })).body.entities[0].text, '£5')
    assert.deepEqual((await post({ text: '' })).body, { entities: [] })
  })

  it('takes a plain text as it is', async () => {
    const { status, body } = await post('Naïve Sam owes £5', { 'content-type': 'text/plain; charset=utf-8' })
    assert.equal(status, 200)
    assert.ok(body.entities.some(({ text }: { text: string }) => text === '£5'))
  })

  it('leaves out what is not asked for', async () => {
    const text = 'Sam paid £5 on 3 May 2024'
    assert.deepEqual((await post({ text, types: ['DATE'] })).body.entities.length, 1)
    assert.deepEqual((await post({ text, min_confidence: 1 })).body.entities, [])
  })

  const refusals: [string, string | object, Record<string, string>, number, string][] = [
    ['broken JSON', '{"text":', JSON_TYPE, 400, 'MalformedBody'],
    ['an empty body', '', JSON_TYPE, 400, 'EmptyBody'],
    ['a text that is no string', { text: 5 }, JSON_TYPE, 422, 'InvalidInput'],
    ['a body without a text', { words: 'x' }, JSON_TYPE, 422, 'InvalidInput'],
    ['a list', [], JSON_TYPE, 422, 'InvalidInput'],
    ['a type that does not exist', { text: 'x', types: ['ANIMAL'] }, JSON_TYPE, 422, 'InvalidInput'],
    ['a text that is too long', { text: 'a'.repeat(MAX_TEXT + 1) }, JSON_TYPE, 422, 'InvalidInput'],
    [
      'a text of more entities than are answered',
      { text: 'Mr Smith '.repeat(100_000) },
      JSON_TYPE,
      422,
      'TooManyEntities'
    ],
    ['a body that is too large', { text: 'a'.repeat(7 * 1024 * 1024) }, JSON_TYPE, 413, 'BodyTooLarge'],
    ['another media type', '<text/>', { 'content-type': 'application/xml' }, 415, 'UnsupportedMediaType']
  ]
  for (const [what, payload, headers, status, code] of refusals) {
    it(`refuses ${what} with ${status} ${code}, and answers the next`, async () => {
      const answer = await post(payload, headers)
      assert.equal(answer.status, status)
      assert.match(String(answer.type), /^application\/problem\+json/)
      assert.equal(answer.body.code, code)
      assert.equal((await post({ text: 'owes £5' })).status, 200)
    })
  }

  it('gives up when the caller has no time left, and says so', async () => {
    const { status, body } = await post(
      { text: 'County Court '.repeat(70_000) },
      { ...JSON_TYPE, 'hedgerow-timeout': '0.05' }
    )
    assert.equal(status, 504)
    assert.equal(body.code, 'TimedOut')
  })

  it('counts what it found, by type, and never keeps a text', async () => {
    const stats = (await app.inject('/stats')).json()
    assert.ok(stats.entities.MONEY >= 2)
    assert.ok(stats.gazetteer.organisations > 1000)
    assert.ok(!JSON.stringify(stats).includes('Jane'))
  })

  it('stops reading when the caller leaves', async () => {
    await app.listen({ port: 0, host: '127.0.0.1' })
    const address = app.server.address()
    assert.ok(typeof address === 'object' && address != null)
    const body = JSON.stringify({ text: 'County Court '.repeat(70_000) })
    const call = request({
      port: address.port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/extract',
      headers: JSON_TYPE
    })
    call.on('error', () => {})
    const left = new Promise<void>(resolve => {
      app.server.once('request', (_request, response) => response.once('close', () => resolve()))
    })
    call.end(body, () => call.destroy())
    await left
    // another request is served long before the whole of that text could have been read
    const before = process.cpuUsage().user
    await fetch(`http://127.0.0.1:${address.port}/extract`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"text":"£5"}'
    })
    assert.ok((process.cpuUsage().user - before) / 1000 < 1500)
  })
})

describe('the process', function () {
  this.timeout(60_000)
  let child: ChildProcess
  let url: string

  beforeEach(async () => {
    child = spawn(
      process.execPath,
      ['--conditions=hedgerow-source', fileURLToPath(new URL('../src/main.ts', import.meta.url))],
      {
        env: { PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1', HEDGEROW_PARENT: 'stdin' },
        stdio: ['pipe', 'ignore', 'pipe']
      }
    )
    assert.ok(child.stderr != null)
    for await (const line of createInterface({ input: child.stderr })) {
      const listens = /"url":"([^"]+)","msg":"listening"/.exec(line)?.[1]
      if (listens == null) continue
      url = listens
      break
    }
    child.stderr.resume()
  })
  afterEach(() => child.kill('SIGKILL'))

  const extract = async (text: string): Promise<{ status: number; answer: string }> => {
    const response = await fetch(`${url}/extract`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ text })
    })
    return { status: response.status, answer: await response.text() }
  }

  it('listens, answers, and ends in order when told to', async () => {
    assert.equal((await fetch(`${url}/health`)).status, 200)
    const { status, answer } = await extract('owes Lowell £5')
    assert.equal(status, 200)
    assert.match(answer, /"ORG".*"Lowell".*"MONEY"/)
    const exit = once(child, 'exit')
    child.stdin?.end()
    assert.deepEqual(await exit, [0, null])
  })

  it('answers /health, and a short text, while it reads long ones', async () => {
    let reading = 6
    const long = Promise.all(
      Array.from({ length: reading }, () =>
        extract('Mr Smith '.repeat(10_000)).finally(() => {
          reading--
        })
      )
    )
    const health: number[] = []
    const short: number[] = []
    const timed = async (into: number[], work: () => Promise<{ status: number }>): Promise<void> => {
      const started = performance.now()
      assert.equal((await work()).status, 200)
      into.push(performance.now() - started)
    }
    while (reading > 0) {
      await timed(health, () => fetch(`${url}/health`))
      await timed(short, () => extract('owes Lowell £5'))
    }
    for (const { status, answer } of await long) {
      assert.equal(status, 200)
      // a name that lies across the seam of two stretches is lost
      assert.ok(JSON.parse(answer).entities.length >= 9_900)
    }
    assert.ok(health.length >= 5, `${health.length} answers while it was busy`)
    assert.ok(Math.max(...health) < 1_000, `/health took ${Math.max(...health)} ms`)
    assert.ok(Math.max(...short) < 6_000, `a short text took ${Math.max(...short)} ms`)
  })
})

describe('the manifest', () => {
  it('declares every operation that the service has', async () => {
    const app = await nerApp(await ReadingThread.start(), '0.0.0')
    const manifest = parse(readFileSync(new URL('../hedgerow.service.yaml', import.meta.url), 'utf8'))
    const declared = manifest.operations.map(({ method, path }: Record<string, string>) => `${method} ${path}`)
    const document = (await app.inject('/openapi.json')).json()
    const offered = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`)
    )
    assert.deepEqual([...declared].sort(), [...offered].sort())
    await app.close()
  })
})
