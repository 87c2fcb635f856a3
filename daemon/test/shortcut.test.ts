import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DispatchAnswer } from '@hedgerow/protocols/dispatch'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { openAccess } from '../src/access/index.ts'
import { createApi } from '../src/api/index.ts'
import { type IngressComponents, serviceListener, serviceRoutes } from '../src/ingress/index.ts'

interface Reply {
  status: number
  headers: Record<string, unknown>
  body: string
}

describe('the shortcut for plain requests to services', () => {
  let app: FastifyInstance
  /** URLs that came by way of the shortcut */
  let shortened: string[]

  const answer: DispatchAnswer = {
    status: 201,
    headers: { 'content-type': 'text/plain', vary: 'accept', 'access-control-allow-origin': '*' },
    body: (async function* () {})(),
    complete: Buffer.from('done'),
    operation: 'POST /echo',
    requestId: 'id',
    worker: 'peer',
    attempts: 1,
    route: { path: 'direct', transport: 'tcp' },
    traceparent: '00-1-2-01'
  }
  const components: IngressComponents = { dispatch: async () => answer }

  beforeEach(async () => {
    shortened = []
    const log = pino({ level: 'silent' })
    const listener = serviceListener(components, log)
    const access = await openAccess({ log })
    app = await createApi({
      title: 'test',
      version: '1',
      log,
      corsOrigins: ['https://page.example'],
      gate: access.gate('local', { corsOrigins: ['https://page.example'] }),
      services: (message, response, extra, caller) => {
        shortened.push(message.url ?? '')
        listener(message, response, extra, caller)
      }
    })
    await app.register(serviceRoutes(components))
    await app.listen({ host: '127.0.0.1', port: 0 })
  })

  afterEach(() => app.close())

  const ask = (path: string, headers: Record<string, string> = {}, method = 'POST'): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const { port } = app.server.address() as AddressInfo
      const sent = request({ port, path, method, headers, agent: false }, response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: { ...response.headers, date: '', 'server-timing': '' },
            body: Buffer.concat(chunks).toString()
          })
        )
      })
      sent.on('error', reject)
      sent.end(method === 'GET' || method === 'OPTIONS' ? undefined : 'body')
    })

  for (const path of [
    '/service/echo',
    '/service/echo/',
    '/service/echo/a/b.c~d',
    '/service/echo?q=%20&r=/',
    '/service/a-1/x?'
  ]) {
    it(`is taken by ${path}`, async () => {
      await ask(path)
      assert.deepEqual(shortened, [path])
    })
  }

  for (const path of [
    '/service/echo/%61',
    '/service/%65cho',
    '/service//a',
    '/service/Echo',
    `/service/echo/${'a'.repeat(600)}`
  ]) {
    it(`is not taken by ${path.slice(0, 40)}`, async () => {
      await ask(path)
      assert.deepEqual(shortened, [])
    })
  }

  it('answers as the framework does', async () => {
    const short = await ask('/service/echo/a')
    assert.deepEqual(shortened, ['/service/echo/a'])
    const long = await ask('/service/echo/%61')
    assert.equal(shortened.length, 1)
    assert.deepEqual(short, long)
    assert.equal(short.headers.vary, 'accept, Origin')
    assert.equal(short.headers['access-control-allow-origin'], undefined)
  })

  it('leaves pages to the framework, which says what they may read', async () => {
    const { status, headers } = await ask('/service/echo', { origin: 'https://page.example' })
    assert.equal(status, 201)
    assert.equal(headers['access-control-allow-origin'], 'https://page.example')
    assert.equal((await ask('/service/echo', { origin: 'https://other.example' })).status, 403)
    const preflight = { origin: 'https://page.example', 'access-control-request-method': 'POST' }
    assert.equal((await ask('/service/echo', preflight, 'OPTIONS')).status, 204)
    assert.deepEqual(shortened, [])
  })

  it('leaves names that are not of this machine to the framework, which refuses them', async () => {
    assert.equal((await ask('/service/echo', { host: 'localhost' })).status, 201)
    assert.equal((await ask('/service/echo', { host: 'rebound.example' })).status, 403)
    assert.equal(shortened.length, 1)
  })
})
