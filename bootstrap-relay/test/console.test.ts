import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createApi } from '@hedgerow/daemon/api'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { consoleRoutes } from '../src/console.ts'

const PAGE = '<!doctype html><title>Hedgerow</title>'

describe('the console at a relay', () => {
  let root: string
  let app: FastifyInstance

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'hedgerow-console-'))
    await mkdir(join(root, 'assets'))
    await writeFile(join(root, 'index.html'), PAGE)
    await writeFile(join(root, 'favicon.svg'), '<svg/>')
    await writeFile(join(root, 'assets/index-ab12cd34.js'), 'export {}')
    await writeFile(join(root, 'assets/index-ab12cd34.js.gz'), gzipSync('export {}'))
    app = await createApi({ title: 'test', version: '1', log: pino({ level: 'silent' }), corsOrigins: ['*'] })
    await app.register(consoleRoutes(root))
  })

  after(async () => {
    await app?.close()
    await rm(root, { recursive: true, force: true })
  })

  it('is the page at /, asked for afresh each time', async () => {
    const { statusCode, headers, body } = await app.inject('/')
    assert.equal(statusCode, 200)
    assert.equal(body, PAGE)
    assert.match(String(headers['content-type']), /^text\/html/)
    assert.equal(headers['cache-control'], 'no-cache')
    assert.ok(headers.etag)
    const again = await app.inject({ url: '/', headers: { 'if-none-match': headers.etag } })
    assert.equal(again.statusCode, 304)
    const head = await app.inject({ method: 'HEAD', url: '/' })
    assert.equal(head.statusCode, 200)
    assert.equal(head.body, '')
    assert.equal(head.headers['content-length'], String(PAGE.length))
  })

  it('keeps files with a hash in their name for good, and sends them compressed', async () => {
    const { headers, rawPayload } = await app.inject({
      url: '/assets/index-ab12cd34.js',
      headers: { 'accept-encoding': 'gzip' }
    })
    assert.match(String(headers['content-type']), /^(text|application)\/javascript/)
    assert.match(String(headers['cache-control']), /immutable/)
    assert.equal(headers['content-encoding'], 'gzip')
    assert.equal(gunzipSync(rawPayload).toString(), 'export {}')
    assert.equal((await app.inject('/assets/index-ab12cd34.js')).body, 'export {}')
    assert.equal((await app.inject('/favicon.svg')).headers['cache-control'], 'no-cache')
  })

  it('lets the page talk to any relay, and run and load nothing of others', async () => {
    const { headers } = await app.inject('/')
    const policy = new Map(
      String(headers['content-security-policy'])
        .split('; ')
        .map(one => [one.split(' ')[0], one.split(' ').slice(1).join(' ')])
    )
    assert.match(policy.get('connect-src') ?? '', /^\*/)
    assert.equal(policy.get('style-src'), "'self'")
    assert.equal(policy.get('default-src'), "'none'")
    assert.equal(policy.get('frame-ancestors'), "'none'")
    assert.ok(!policy.get('script-src')?.includes('unsafe-inline'))
    assert.equal(headers['x-content-type-options'], 'nosniff')
  })

  it('answers every other path as the rest of the API does', async () => {
    for (const url of [
      '/nothing',
      '/assets/nothing.js',
      '/assets',
      '/..%2f..%2fetc/passwd',
      '/assets/index-ab12cd34.js.gz'
    ]) {
      const { statusCode, headers } = await app.inject(url)
      assert.equal(statusCode, 404, url)
      assert.match(String(headers['content-type']), /^application\/problem\+json/, url)
    }
    assert.equal((await app.inject('/openapi.json')).json().paths['/'], undefined)
    assert.equal((await app.inject('/docs')).statusCode, 200)
  })
})
