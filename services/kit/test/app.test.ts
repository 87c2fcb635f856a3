import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Type } from 'typebox'
import { clientLeft, type ServiceApp, serviceApp } from '../src/index.ts'

describe('a service', () => {
  let app: ServiceApp
  let url: string
  const signals: AbortSignal[] = []

  beforeEach(async () => {
    signals.length = 0
    process.env.LOG_LEVEL = 'silent'
    app = await serviceApp({ name: 'test', version: '1.0.0' })
    app.post('/wait', { schema: { body: Type.Object({ answer: Type.Boolean() }) } }, async (request, reply) => {
      const left = clientLeft(reply)
      signals.push(left)
      if (request.body.answer) return { done: true }
      if (!left.aborted) await once(left, 'abort')
      return { done: false }
    })
    url = await app.listen({ port: 0, host: '127.0.0.1' })
  })
  afterEach(() => app.close())

  const wait = (answer: boolean, signal?: AbortSignal): Promise<Response> =>
    fetch(`${url}/wait`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ answer }),
      signal: signal ?? null
    })

  it('hears that the client left, though the whole request had arrived', async () => {
    const gone = new AbortController()
    const request = wait(false, gone.signal)
    while (signals.length === 0) await new Promise(setImmediate)
    gone.abort()
    await assert.rejects(request)
    const [left] = signals
    assert.ok(left != null)
    if (!left.aborted) await once(left, 'abort')
  })

  it('is not told so of a client that got its answer', async () => {
    const response = await wait(true)
    assert.deepEqual(await response.json(), { done: true })
    await app.close()
    assert.equal(signals.at(-1)?.aborted, false)
  })

  it('names the trace in the log, where one is recorded', async () => {
    process.env.LOG_LEVEL = 'info'
    const told = await serviceApp({ name: 'told', version: '1.0.0' })
    told.get('/', async () => ({}))
    const lines: string[] = []
    const { write } = process.stderr
    process.stderr.write = (line: string | Uint8Array) => lines.push(String(line)) > 0
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    try {
      for (const traceparent of [
        `00-${trace}-00f067aa0ba902b7-01`,
        `00-${trace}-00f067aa0ba902b7-00`,
        'garbage',
        undefined
      ])
        await told.inject({ url: '/', headers: traceparent == null ? {} : { traceparent } })
    } finally {
      process.stderr.write = write
      await told.close()
    }
    assert.deepEqual(
      lines.map(line => JSON.parse(line).trace),
      [trace, undefined, undefined, undefined]
    )
  })

  it('answers 415 to text where it wants JSON', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/wait',
      headers: { 'content-type': 'text/plain' },
      body: 'x'
    })
    assert.equal(answer.statusCode, 415)
    assert.match(answer.json().detail, /text\/plain; POST \/wait takes application\/json$/)
    assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/)
  })

  it('answers 413 to a client that sends all of its body before it looks for an answer', async () => {
    const size = 30 * 1024 * 1024
    const { port } = app.server.address() as AddressInfo
    for (const connection of ['keep-alive', 'close']) {
      const client = connect(port, '127.0.0.1').pause()
      const head = ['POST /wait HTTP/1.1', 'host: x', `connection: ${connection}`, 'content-type: application/json']
      client.write(`${head.join('\r\n')}\r\ncontent-length: ${size}\r\n\r\n`)
      await new Promise<void>((resolve, reject) => {
        client.once('error', reject).write(Buffer.alloc(size, ' '), () => resolve())
      })
      const [answer] = await once(client.resume(), 'data')
      assert.match(String(answer), /^HTTP\/1.1 413 /)
      client.destroy()
    }
  })

  const post = async (
    body: string | Uint8Array,
    headers: Record<string, string> = {}
  ): Promise<{ status: number; code: unknown; detail: string; accepts: string | null }> => {
    const response = await fetch(`${url}/wait`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: Buffer.from(body)
    })
    const { code, detail } = await response.json()
    return { status: response.status, code, detail, accepts: response.headers.get('accept-encoding') }
  }

  it('reads no compressed body as if it were none, and says what it takes', async () => {
    const { status, code, accepts } = await post(gzipSync('{"answer":true}'), { 'content-encoding': 'gzip' })
    assert.deepEqual([status, code, accepts], [415, 'UnsupportedEncoding', 'identity'])
    assert.equal((await post('{"answer":true}', { 'content-encoding': 'identity' })).status, 200)
  })

  it('reads JSON in UTF-8 alone', async () => {
    const utf16 = await post(Buffer.from('{"answer":true}', 'utf16le'), {
      'content-type': 'application/json; charset=utf-16'
    })
    assert.deepEqual([utf16.status, utf16.code], [415, 'UnsupportedCharset'])
    for (const charset of ['utf-8', '"UTF-8"', 'us-ascii']) {
      const { status } = await post('{"answer":true}', { 'content-type': `application/json; charset=${charset}` })
      assert.equal(status, 200, charset)
    }
    const broken = await post(Buffer.from('{"answer":true,"name":"caf\xe9"}', 'latin1'))
    assert.deepEqual([broken.status, broken.code], [400, 'MalformedBody'])
    assert.match(broken.detail, /UTF-8/)
    assert.equal((await post('\ufeff{"answer":true}')).status, 200)
  })

  it('says which keys it does not take, and calls valid JSON valid', async () => {
    for (const body of ['{"answer":true,"__proto__":{"x":1}}', '{"answer":true,"constructor":{"prototype":{}}}']) {
      const { status, code, detail } = await post(body)
      assert.deepEqual([status, code], [400, 'ForbiddenKey'])
      assert.match(detail, /__proto__/)
    }
    assert.equal((await post('{"answer":true,"constructor":"Acme Ltd"}')).status, 200)
    assert.equal((await post('{"answer":')).code, 'MalformedBody')
    assert.equal((await post('')).code, 'EmptyBody')
  })
})
