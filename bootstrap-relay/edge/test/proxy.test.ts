import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { EdgeRun } from './edge-run.ts'
import { FakeRelay, json } from './fake-relay.ts'

interface Echo {
  relay: string
  method: string
  url: string
  body: string
}

describe('requests through the edge', () => {
  let relays: [FakeRelay, FakeRelay]
  let edge: EdgeRun

  beforeEach(async () => {
    relays = [new FakeRelay('one'), new FakeRelay('two')]
    for (const relay of relays) await relay.start()
    edge = await EdgeRun.start({ registry: 'none', bindings: { RELAYS: relays.map(({ url }) => url).join() } })
  })

  afterEach(async () => {
    await edge?.dispose()
    for (const relay of relays) await relay.stop()
  })

  const answers = (path: string, handler: (response: ServerResponse) => void): void => {
    relays[0].routes.set(path, (_request, response) => handler(response))
  }
  const echo = async (answer: { json(): Promise<unknown> }): Promise<Echo> => (await answer.json()) as Echo
  const problem = async (answer: { json(): Promise<unknown> }): Promise<{ code: string; retry_safe?: boolean }> =>
    (await answer.json()) as { code: string; retry_safe?: boolean }

  it('reach a relay as they are, and its answer comes back so', async () => {
    answers('/service/ner', response => {
      response.writeHead(418, { 'x-own': 'yes', 'hedgerow-request-id': 'r1', 'set-cookie': ['a=1', 'b=2'] })
      response.end('short and stout')
    })
    const answer = await edge.fetch('/service/ner?top=1&q=%2F', {
      method: 'PATCH',
      body: 'kettle',
      headers: { 'x-asked': 'yes', authorization: 'Bearer key' }
    })
    assert.equal(answer.status, 418)
    assert.equal(await answer.text(), 'short and stout')
    assert.equal(answer.headers.get('x-own'), 'yes')
    assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2'])
    assert.equal(answer.headers.get('hedgerow-relay'), new URL(relays[0].url).host)
    const [seen] = relays[0].asked('/service/ner?top=1&q=%2F')
    assert.equal(seen?.method, 'PATCH')
    assert.equal(seen?.body, 'kettle')
    assert.equal(seen?.headers['x-asked'], 'yes')
    assert.equal(seen?.headers.authorization, 'Bearer key')
    assert.equal(relays[1].seen.length, 0)
  })

  it('say who they are for and by what way they came, whatever they claim', async () => {
    await edge.fetch('/whoami', {
      headers: {
        'x-forwarded-for': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-real-ip': '6.6.6.6',
        'cf-connecting-ip': '198.51.100.7'
      }
    })
    const headers = relays[0].asked('/whoami')[0]?.headers
    assert.equal(headers?.['x-forwarded-for'], '198.51.100.7')
    assert.equal(headers?.['x-forwarded-host'], 'edge.example.net')
    assert.equal(headers?.forwarded, undefined)
    assert.equal(headers?.['x-real-ip'], undefined)
    assert.match(String(headers?.via), /hedgerow-edge/)
    assert.equal(headers?.host, new URL(relays[0].url).host)
  })

  it('are refused when they come back to the edge', async () => {
    assert.equal((await edge.fetch('/whoami', { headers: { via: '1.1 hedgerow-edge' } })).status, 508)
    assert.equal(relays[0].seen.length, 0)
  })

  it('stream both ways', async () => {
    let end = (): void => {}
    answers('/events', response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: first\n\n')
      end = () => response.end('data: last\n\n')
    })
    const answer = await edge.fetch('/events')
    assert.equal(answer.headers.get('content-type'), 'text/event-stream')
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    const first = await reader.read()
    assert.equal(new TextDecoder().decode(first.value), 'data: first\n\n')
    end()
    const rest = await reader.read()
    assert.equal(new TextDecoder().decode(rest.value), 'data: last\n\n')
    assert.equal((await reader.read()).done, true)

    const large = 'x'.repeat(3 * 2 ** 20)
    assert.equal((await echo(await edge.fetch('/large', { method: 'POST', body: large }))).body.length, large.length)
    assert.equal(await (await edge.fetch('/gzip', { headers: { 'accept-encoding': 'gzip' } })).text(), 'squeezed')
  })

  it('end at the relay when the caller leaves', async () => {
    const closed = new Promise<void>(resolve => answers('/slow', response => void response.once('close', resolve)))
    const { hostname, port } = await edge.port()
    const socket = connect(Number(port), hostname)
    socket.write('GET /slow HTTP/1.1\r\nhost: edge.example.net\r\n\r\n')
    while (relays[0].asked('/slow').length === 0) await new Promise(resolve => setTimeout(resolve, 10))
    socket.resetAndDestroy()
    await closed
  })

  it('have redirects of a relay lead back through the edge', async () => {
    answers('/', response => void response.writeHead(302, { location: `${relays[0].url}/docs?x` }).end())
    answers('/out', response => void response.writeHead(302, { location: 'https://elsewhere.example.org/' }).end())
    assert.equal((await edge.fetch('/')).headers.get('location'), '/docs?x')
    assert.equal((await edge.fetch('/out')).headers.get('location'), 'https://elsewhere.example.org/')
  })

  it('go to another relay when the first is gone, and back when it has returned', async () => {
    await relays[0].stop()
    assert.equal((await echo(await edge.fetch('/whoami'))).relay, 'two')
    await relays[0].start()
    assert.equal((await echo(await edge.fetch('/whoami'))).relay, 'two')
    await edge.advance(30)
    assert.equal((await echo(await edge.fetch('/whoami'))).relay, 'one')
  })

  it('that may not be repeated go only to a relay that shows to be there', async () => {
    await relays[0].stop()
    const post = (): ReturnType<EdgeRun['fetch']> => edge.fetch('/orders', { method: 'POST', body: 'once' })
    assert.deepEqual(await echo(await post()), { relay: 'two', method: 'POST', url: '/orders', body: 'once' })
    await post()
    assert.equal(relays[1].asked('/health').length, 1)
    assert.equal(relays[1].asked('/orders').length, 2)
    await edge.advance(15)
    await post()
    assert.equal(relays[1].asked('/health').length, 2)
  })

  it('that may not be repeated are not, when the relay breaks off', async () => {
    answers('/orders', response => void response.destroy())
    const answer = await edge.fetch('/orders', { method: 'POST', body: 'once' })
    assert.equal(answer.status, 502)
    const { code, retry_safe } = await problem(answer)
    assert.equal(code, 'RelayLost')
    assert.equal(retry_safe, false)
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    assert.equal(relays[1].asked('/orders').length, 0)
  })

  it('that may be repeated are: safe methods, and what has an Idempotency-Key', async () => {
    answers('/orders', response => void response.destroy())
    assert.equal((await echo(await edge.fetch('/orders'))).relay, 'two')
    await edge.advance(30)
    const headers = { 'idempotency-key': 'k1' }
    const answer = await edge.fetch('/orders', { method: 'POST', body: 'at least once', headers })
    assert.deepEqual(await echo(answer), { relay: 'two', method: 'POST', url: '/orders', body: 'at least once' })
    assert.equal(relays[0].asked('/orders').length, 2)
  })

  it('that may be repeated are, when the relay says nothing; the last relay has all the time it takes', async () => {
    await edge.restart({ firstByte: 200 })
    let answer = (): void => {}
    for (const relay of relays)
      relay.routes.set('/slow', (_request, response) => {
        answer = () => void response.end(relay.name)
      })
    const pending = edge.fetch('/slow')
    while (relays[1].asked('/slow').length === 0) await new Promise(resolve => setTimeout(resolve, 10))
    // Longer than the first one had.
    const first = await Promise.race([pending, new Promise(resolve => setTimeout(resolve, 500, 'still waiting'))])
    assert.equal(first, 'still waiting')
    answer()
    assert.equal(await (await pending).text(), 'two')
  })

  it('with a body that is too large to keep are sent once, whatever they say', async () => {
    answers('/orders', response => void response.destroy())
    const init = { method: 'POST', body: 'x'.repeat(2 ** 20 + 1), headers: { 'idempotency-key': 'k1' } }
    assert.equal((await edge.fetch('/orders', init)).status, 502)
    assert.equal(relays[1].asked('/orders').length, 0)
  })

  for (const status of [521, 523, 525, 526, 530])
    it(`are sent elsewhere when Cloudflare found no relay (${status})`, async () => {
      answers('/orders', response => void response.writeHead(status).end('error code'))
      assert.equal((await echo(await edge.fetch('/orders', { method: 'POST', body: 'once' }))).relay, 'two')
    })

  for (const status of [502, 504, 520, 522, 524])
    it(`are repeated only where they may be when what is in front of the relay answers (${status})`, async () => {
      answers('/orders', response => void response.writeHead(status).end('bad gateway'))
      const post = await edge.fetch('/orders', { method: 'POST', body: 'once' })
      assert.equal(post.status, status)
      assert.equal(await post.text(), 'bad gateway')
      await edge.advance(30)
      assert.equal((await echo(await edge.fetch('/orders'))).relay, 'two')
    })

  it('are sent elsewhere when a relay is about to end or has only begun, and nowhere for other errors of the mesh', async () => {
    for (const [code, relay] of [
      ['Draining', 'two'],
      ['Starting', 'two'],
      ['NoWorker', undefined]
    ] as const) {
      await edge.advance(30)
      answers('/orders', response => json(response, 503, { code, status: 503 }, 'application/problem+json'))
      const answer = await edge.fetch('/orders', { method: 'POST', body: 'once' })
      const body = (await answer.json()) as { relay?: string; code?: string }
      assert.equal(body.relay, relay)
      if (relay == null) assert.equal(body.code, code)
    }
    answers('/service/x', response => void response.writeHead(502, { 'hedgerow-request-id': 'r1' }).end('worker lost'))
    const answer = await edge.fetch('/service/x')
    assert.equal(answer.status, 502)
    assert.equal(await answer.text(), 'worker lost')
  })

  it('are answered 503 when no relay is left', async () => {
    for (const relay of relays) await relay.stop()
    for (const init of [{}, { method: 'POST', body: 'x' }]) {
      const answer = await edge.fetch('/whoami', init)
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '10')
      assert.equal((await problem(answer)).code, 'NoRelay')
    }
    for (const relay of relays) await relay.start()
    // At once: whoever failed is last, but not out.
    assert.equal((await edge.fetch('/whoami')).status, 200)
  })

  it('lose none that may be repeated while relays die and return', async () => {
    let done = 0
    const failed: number[] = []
    const callers = Array.from({ length: 8 }, async () => {
      while (done < 400) {
        const answer = await edge.fetch('/whoami')
        await answer.text()
        if (answer.status !== 200) failed.push(answer.status)
        done++
      }
    })
    const until = async (count: number): Promise<void> => {
      while (done < count) await new Promise(resolve => setTimeout(resolve, 5))
    }
    await until(50)
    await relays[0].stop()
    await until(150)
    await relays[0].start()
    await edge.advance(31)
    await until(250)
    await relays[1].stop()
    await Promise.all(callers)
    assert.deepEqual(failed, [])
  })

  describe('as WebSockets', () => {
    const open = async (
      headers: Record<string, string> = {},
      protocols: string[] = []
    ): Promise<{ socket: WebSocket; relay: string }> => {
      const url = await edge.port()
      const socket = new WebSocket(`ws://${url.host}/`, protocols, { headers })
      const [hello] = await once(socket, 'message')
      return { socket, relay: String(hello) }
    }

    it('are handed through, text and bytes, to the close', async () => {
      const { socket, relay } = await open({ 'x-asked': 'yes' }, ['mesh'])
      assert.equal(relay, 'one')
      assert.equal(socket.protocol, 'mesh')
      assert.equal(relays[0].asked('/')[0]?.headers['x-asked'], 'yes')
      socket.send('text')
      assert.equal(String((await once(socket, 'message'))[0]), 'text')
      const bytes = Buffer.alloc(200_000, 7)
      socket.send(bytes)
      const [data, isBinary] = await once(socket, 'message')
      assert.equal(isBinary, true)
      assert.ok(bytes.equals(data as Buffer))
      socket.close(4001, 'done')
      assert.equal((await once(socket, 'close'))[0], 4001)
    })

    it('end when their relay does, and the next one opens elsewhere', async () => {
      const { socket, relay } = await open()
      assert.equal(relay, 'one')
      const closed = once(socket, 'close')
      socket.on('error', () => {})
      await relays[0].stop()
      await closed
      const next = await open()
      assert.equal(next.relay, 'two')
      next.socket.terminate()
    })

    it('are refused as the relay refuses them', async () => {
      const url = await edge.port()
      const socket = new WebSocket(`ws://${url.host}/elsewhere`)
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
      assert.equal(response.statusCode, 400)
      socket.on('error', () => {})
      socket.terminate()
    })
  })

  describe('from pages', () => {
    const PAGE = 'https://app.example.org'

    it('are allowed from everywhere, and see all headers', async () => {
      answers('/service/ner', response => {
        response.writeHead(200, { 'access-control-allow-origin': 'https://other.example.org' })
        response.end()
      })
      const answer = await edge.fetch('/service/ner', { headers: { origin: PAGE } })
      assert.equal(answer.headers.get('access-control-allow-origin'), '*')
      assert.equal(answer.headers.get('access-control-expose-headers'), '*')
    })

    it('ask first, which the edge answers itself', async () => {
      const headers = {
        origin: PAGE,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization, hedgerow-timeout'
      }
      const answer = await edge.fetch('/service/ner', { method: 'OPTIONS', headers })
      assert.equal(answer.status, 204)
      assert.equal(answer.headers.get('access-control-allow-origin'), '*')
      assert.match(String(answer.headers.get('access-control-allow-methods')), /PUT/)
      assert.equal(answer.headers.get('access-control-allow-headers'), 'authorization, hedgerow-timeout')
      const long = { ...headers, 'access-control-request-headers': 'x'.repeat(2000) }
      const refused = await edge.fetch('/service/ner', { method: 'OPTIONS', headers: long })
      assert.equal(refused.headers.get('access-control-allow-headers'), null)
      assert.equal(relays[0].seen.length, 0)
      assert.equal((await echo(await edge.fetch('/own', { method: 'OPTIONS' }))).method, 'OPTIONS')
    })

    it('of other origins than the deployment names are not', async () => {
      await edge.dispose()
      edge = await EdgeRun.start({
        registry: 'none',
        bindings: { RELAYS: relays[0].url, CORS_ORIGINS: `${PAGE}, https://b.example.org` }
      })
      for (const [origin, allowed] of [
        [PAGE, PAGE],
        ['https://evil.example.org', null]
      ] as const) {
        const answer = await edge.fetch('/whoami', { headers: { origin } })
        assert.equal(answer.headers.get('access-control-allow-origin'), allowed)
        assert.match(String(answer.headers.get('vary')), /origin/i)
        const preflight = { origin, 'access-control-request-method': 'POST' }
        const asked = await edge.fetch('/whoami', { method: 'OPTIONS', headers: preflight })
        assert.equal(asked.headers.get('access-control-allow-origin'), allowed)
      }
    })
  })
})

describe('the Worker as it is deployed', () => {
  it('runs by its own clock', async () => {
    const relay = new FakeRelay('one')
    relay.entryPoints = [{ worker_id: 'a', access_url: 'https://a.example.org', services: [] }]
    await relay.start()
    const edge = await EdgeRun.start({ registry: 'durable', deployed: true })
    try {
      assert.equal((await edge.post('/api/worker/register', { worker_id: 'one', url: relay.url })).status, 200)
      const answer = await edge.fetch('/entry-points')
      assert.equal(answer.status, 200)
      const { updated_at } = (await answer.json()) as { updated_at: string }
      assert.ok(Math.abs(Date.parse(updated_at) - Date.now()) < 60_000)
      assert.equal(((await (await edge.fetch('/x')).json()) as Echo).relay, 'one')
      // What tests alone can do is not there.
      assert.equal(((await (await edge.fetch('/test/restart')).json()) as Echo).relay, 'one')
    } finally {
      await edge.dispose()
      await relay.stop()
    }
  })
})
