import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { freePort } from '@hedgerow/daemon/startup'
import type { PeerProcess } from '@hedgerow/scripts/mesh'
import { getJson, type TestMesh, testMesh, until } from '../src/harness.ts'
import { type Issuer, startIssuer } from '../src/issuer.ts'
import { createKey, INSPECTOR, type Key, run, startRelay } from '../src/keys.ts'
import { head as lines, send } from '../src/raw.ts'

const AUDIENCE = 'hedgerow-test'
/** What a client might send to be taken for somebody inside. */
const FORGED = {
  'hedgerow-caller': 'service/lab',
  'hedgerow-dispatched': '1',
  'hedgerow-depth': '0',
  'hedgerow-context': 'forged',
  'hedgerow-request-id': 'forged'
}

interface Problem {
  status: number
  code: string
  detail: string
}

/** Each caller an address of its own, where the bounds on addresses aren't what is looked at. */
let addresses = 0
const address = (): string => `2001:db8:0:${(addresses++).toString(16)}::1`

describe('a mesh whose callers must be known', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  let issuer: Issuer
  /** the relay's listener for a tunnel */
  let tunnel: string
  /** a relay that listens on every address */
  let open: PeerProcess
  let caller: Key
  let reader: Key
  let admin: Key

  before(async () => {
    issuer = await startIssuer(AUDIENCE)
    const tunnelPort = await freePort()
    tunnel = `http://127.0.0.1:${tunnelPort}`
    const signIn = {
      HEDGEROW_OIDC_ISSUER: issuer.url,
      HEDGEROW_OIDC_AUDIENCE: AUDIENCE,
      HEDGEROW_OIDC_RIGHTS: 'call,groups/mesh-admins=admin'
    }
    mesh = await testMesh({
      workers: 1,
      envOf: {
        relay: { ...signIn, HEDGEROW_TUNNEL_PORT: String(tunnelPort), HEDGEROW_ADDRESS_RATE: '20' },
        public: { ...signIn, HEDGEROW_HTTP_HOST: '0.0.0.0', HEDGEROW_URL: 'http://relay.example:81' }
      }
    })
    const relayDir = join(mesh.dataDir, 'relay')
    const openDir = join(mesh.dataDir, 'public')
    await mkdir(openDir)
    const made = await Promise.all([
      createKey(relayDir),
      createKey(openDir, '--rights', 'read'),
      createKey(openDir, '--rights', 'admin')
    ])
    ;[caller, reader, admin] = made
    open = await mesh.startRelay(await freePort(), 'public')
    await until('a key made meanwhile is good', async () => (await ask('/service/lab/counted', caller)).status === 200)
    await until(
      'the other relay knows a worker',
      async () => (await fetch(`${open.url}/service/lab/counted`, { headers: bearer(admin.key) })).status === 200
    )
  })

  after(async () => {
    await mesh?.stop()
    await issuer?.stop()
  })

  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

  /** Asks by the tunnel, from somewhere. */
  const ask = (path: string, who?: Key | string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(tunnel + path, {
      headers: {
        'cf-connecting-ip': address(),
        ...(who == null ? {} : bearer(typeof who === 'string' ? who : who.key)),
        ...headers
      }
    })

  const refused = async (response: Response, status: number, code: string): Promise<Problem> => {
    const problem: Problem = await response.json()
    assert.deepEqual([response.status, problem.code], [status, code], problem.detail)
    if (status === 401) assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer realm="hedgerow".*DPoP /)
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    return problem
  }

  it('tells strangers how it is and how one joins, and nothing else', async () => {
    for (const url of [tunnel, open.url]) {
      const health = await getJson<Record<string, unknown>>(`${url}/health`)
      assert.deepEqual(Object.keys(health).sort(), ['closed', 'mesh', 'peer_id', 'role', 'status', 'worker_id'])
      assert.equal(typeof (await getJson<{ mesh: string }>(`${url}/bootstrap`)).mesh, 'string')
      assert.ok([200, 503].includes((await fetch(`${url}/entry-points`)).status))
      for (const path of ['/service/lab', '/service/lab/%65cho', '/v1/models', '/v1/chat/completions', '/nothing'])
        await refused(await fetch(url + path, { method: path === '/v1/models' ? 'GET' : 'POST' }), 401, 'Unauthorized')
    }
    for (const path of [
      '/metrics',
      '/stats',
      '/events',
      '/explain/x',
      '/api/dht/stats',
      '/api/admin/workers',
      '/docs/'
    ])
      await refused(await fetch(open.url + path), 401, 'Unauthorized')
  })

  it('takes a key in both headers, keeps it to itself, and tells the backend whose it is', async () => {
    for (const headers of [bearer(caller.key), { 'x-api-key': caller.key }]) {
      const response = await ask('/service/lab/headers', undefined, { ...headers, ...FORGED, 'x-mine': 'yes' })
      assert.equal(response.status, 200)
      const { headers: seen } = await response.json()
      assert.equal(seen['hedgerow-caller'], `key/${caller.id}`)
      assert.notEqual(seen['hedgerow-request-id'], 'forged')
      assert.notEqual(seen['hedgerow-context'], 'forged')
      for (const name of ['authorization', 'x-api-key', 'cf-connecting-ip', 'hedgerow-dispatched', 'hedgerow-depth'])
        assert.equal(seen[name], undefined, name)
      assert.equal(seen['x-mine'], 'yes')
    }
    const both = await ask('/service/lab/headers', undefined, { 'x-api-key': caller.key, ...bearer('for the service') })
    assert.equal((await both.json()).headers.authorization, 'Bearer for the service')
  })

  it('lets nobody ask on the account of a service', async () => {
    const ways: Array<[string, Record<string, string>]> = [
      [mesh.relay.url, {}],
      [mesh.workers[0]?.url ?? '', {}],
      [tunnel, bearer(caller.key)]
    ]
    for (const [url, headers] of ways)
      await refused(
        await fetch(`${url}/service/lab/hidden`, { headers: { ...headers, ...FORGED } }),
        404,
        'UnknownOperation'
      )
  })

  it('writes the name of the caller, and the address that the tunnel tells, into its log', async () => {
    const from = address()
    const response = await ask('/service/lab/counted', caller, { 'cf-connecting-ip': from })
    const id = response.headers.get('hedgerow-request-id') ?? 'none'
    await response.text()
    const entry = await until('it is in the log', async () => {
      const text = await readFile(join(mesh.dataDir, 'relay/log'), 'utf8')
      return text.split('\n').find(line => line.includes(id) && line.includes('"caller"'))
    })
    const { caller: name, address: at } = JSON.parse(entry)
    assert.deepEqual([name, at], [`key/${caller.id}`, from])
    assert.ok(!entry.includes(caller.key))
  })

  it('knows no key but its own, whatever it looks like', async () => {
    const [, , secret = ''] = caller.key.split('_')
    for (const key of [
      'hk_',
      `${caller.key}x`,
      caller.key.slice(0, -1),
      caller.key.replace(caller.id, reader.id),
      `hk_${caller.id}_${'A'.repeat(secret.length)}`,
      admin.key,
      'x'.repeat(8000)
    ])
      await refused(await ask('/service/lab/counted', key), 401, 'Unauthorized')
    await refused(await ask('/service/lab/counted', undefined, { authorization: 'Basic YTpi' }), 401, 'Unauthorized')
    await refused(await ask('/service/lab/counted', undefined, { authorization: 'hk' }), 401, 'Unauthorized')
    await refused(await ask('/service/lab/counted', undefined, { 'x-api-key': '' }), 401, 'Unauthorized')
  })

  it('lets a key do what it is for', async () => {
    const by = (key: Key, path: string): Promise<Response> => fetch(open.url + path, { headers: bearer(key.key) })
    for (const path of ['/metrics', '/stats', '/api/dht/stats'])
      for (const key of [reader, admin]) assert.equal((await by(key, path)).status, 200, path)
    await refused(await by(reader, '/service/lab/counted'), 403, 'Forbidden')
    await refused(await by(reader, '/api/services'), 403, 'Forbidden')
    for (const path of ['/api/admin/workers', '/api/coordinator/workers', '/api/admin/placement', '/api/admin/gaps']) {
      await refused(await by(reader, path), 403, 'Forbidden')
      assert.equal((await by(admin, path)).status, 200, path)
    }
    await refused(await by(admin, '/nothing'), 404, 'UnknownRoute')
    assert.ok((await (await by(reader, '/health')).json()).version)
  })

  it('lets a key call the services that it names, by any of their names', async () => {
    const relayDir = join(mesh.dataDir, 'relay')
    const [lab, notes] = await Promise.all([
      createKey(relayDir, '--services', 'laboratory'),
      createKey(relayDir, '--services', 'notes')
    ])
    const allowed = await until('the key is known', async () => {
      const response = await ask('/service/lab/counted', lab)
      return response.status === 401 ? undefined : response
    })
    assert.equal(allowed.status, 200)
    assert.equal((await ask('/service/laboratory/counted', lab)).status, 200)
    for (const path of ['/service/lab/counted', '/service/laboratory/counted', '/service/l%61b/counted'])
      await refused(await ask(path, notes), 403, 'Forbidden')
    const chat = { method: 'POST', headers: { ...bearer(lab.key), 'content-type': 'application/json' }, body: '{}' }
    await refused(await fetch(`${tunnel}/v1/chat/completions`, chat), 403, 'Forbidden')
  })

  it('refuses a key that has expired, and one that was revoked a moment ago', async () => {
    const relayDir = join(mesh.dataDir, 'relay')
    const [brief, lost] = await Promise.all([createKey(relayDir, '--expires', '8s'), createKey(relayDir)])
    const isGood = (key: Key): Promise<true> =>
      until('it is good', async () => (await ask('/service/lab/counted', key)).status === 200 || undefined)
    await Promise.all([isGood(brief), isGood(lost)])
    const { code } = await run(INSPECTOR, ['key', 'revoke', lost.id, '--data-dir', relayDir])
    assert.equal(code, 0)
    for (const [key, why] of [
      [lost, /revoked/],
      [brief, /expired/]
    ] as const) {
      const response = await until('it is refused', async () => {
        const answer = await ask('/service/lab/counted', key)
        return answer.status === 200 ? undefined : answer
      })
      assert.match((await refused(response, 401, 'Unauthorized')).detail, why)
    }
    const { stdout } = await run(INSPECTOR, ['key', 'list', '--data-dir', relayDir, '--json'])
    const status = Object.fromEntries(
      JSON.parse(stdout).keys.map(({ id, status }: { id: string; status: string }) => [id, status])
    )
    assert.deepEqual([status[lost.id], status[brief.id], status[caller.id]], ['revoked', 'expired', 'good'])
    assert.ok(!stdout.includes('hash'))
  })

  it('counts requests by key and by address, and says when to come back', async () => {
    const slow = await createKey(join(mesh.dataDir, 'relay'), '--rate', '1')
    await until('the key is known', async () => (await ask('/service/lab/counted', slow)).status !== 401)
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('/service/lab/counted', slow)))
    const over = answers.find(({ status }) => status === 429)
    assert.ok(over != null, 'six at once are too many')
    assert.ok(answers.filter(({ status }) => status === 200).length <= 2)
    await refused(over, 429, 'RateLimited')
    assert.ok(Number(over.headers.get('retry-after')) >= 1)
    assert.equal((await ask('/service/lab/counted', caller)).status, 200)

    // From one address; a word of its own doesn't make it another.
    const from = address()
    const many = await Promise.all(
      Array.from({ length: 80 }, (_, i) =>
        ask('/health', undefined, { 'cf-connecting-ip': from, 'x-forwarded-for': `192.0.2.${i}` })
      )
    )
    const counted = many.filter(({ status }) => status === 429)
    assert.ok(counted.length >= 20, `${counted.length} of 80 were refused`)
    await refused(counted[0] as Response, 429, 'RateLimited')
    assert.equal((await ask('/health')).status, 200)
  })

  it('bounds how much one caller has under way', async () => {
    const answers = await Promise.all(Array.from({ length: 80 }, () => ask('/service/lab/slow?ms=2000', caller)))
    const statuses = answers.map(({ status }) => status)
    assert.equal(statuses.filter(status => status === 200).length, 64)
    assert.equal(statuses.filter(status => status === 429).length, 16)
    assert.equal((await ask('/service/lab/counted', caller)).status, 200)
  })

  it('has none but the routes of a bridge at the tunnel, for anybody, however they are written', async () => {
    const paths = ['/metrics', '/stats', '/events', '/adverts', '/explain/x', '/openapi.json', '/docs/']
    paths.push('/api/services', '/api/admin/workers', '/api/dht/stats', '/api/peers/x', '/api/coordinator/workers')
    for (const path of paths) await refused(await ask(path, caller), 404, 'UnknownRoute')
    for (const target of ['//metrics', '/%6detrics', '/health/../metrics', '/service/../metrics', 'http://x/metrics'])
      assert.doesNotMatch(
        await send(
          tunnel,
          lines(`GET ${target} HTTP/1.1`, 'host: localhost', `x-api-key: ${caller.key}`, 'connection: close')
        ),
        /hedgerow_|nodejs_/,
        target
      )
  })

  it('takes nobody at the tunnel for a program of this machine', async () => {
    for (const host of ['localhost', '127.0.0.1', 'relay.example'])
      assert.match(
        await send(tunnel, lines('GET /service/lab/counted HTTP/1.1', `host: ${host}`, 'connection: close')),
        /^HTTP\/1.1 401 /
      )
  })

  it('gives way to no name but its own at a port of this machine (DNS rebinding)', async () => {
    for (const { url } of [mesh.relay, ...mesh.workers])
      for (const [host, status] of [
        ['evil.example', 403],
        [`evil.example:${new URL(url).port}`, 403],
        ['127.0.0.1.evil.example', 403],
        ['localhost@evil.example', 403],
        ['', 403],
        ['localhost', 200],
        ['[::1]', 200]
      ] as const)
        for (const path of ['/health', '/service/lab/counted', '/api/services'])
          assert.match(
            await send(url, lines(`GET ${path} HTTP/1.1`, `host: ${host}`, 'connection: close')),
            new RegExp(`^HTTP/1.1 ${status} `),
            `${host}${path}`
          )
    const upgrade = (...more: string[]): string =>
      lines(
        'GET / HTTP/1.1',
        ...more,
        'connection: upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='
      )
    assert.match(await send(mesh.relay.url, upgrade('host: evil.example')), /^HTTP\/1.1 403 [\s\S]*"Forbidden"/)
    assert.match(await send(mesh.relay.url, upgrade('host: localhost'), { wait: 300 }), /^HTTP\/1.1 101 /)
  })

  it('lets pages of any site and proxies use services at a local port, and see nothing of the inside', async () => {
    const guests: Array<Record<string, string>> = [{ origin: 'https://evil.example' }, { 'x-forwarded-for': '1.2.3.4' }]
    guests.push({ 'cf-connecting-ip': '1.2.3.4' })
    for (const headers of guests) {
      const as = (path: string): Promise<Response> => fetch(mesh.relay.url + path, { headers })
      assert.equal((await as('/service/lab/counted')).status, 200)
      for (const path of ['/metrics', '/api/admin/workers', '/events', '/explain/x'])
        await refused(await as(path), 401, 'Unauthorized')
      assert.equal((await (await as('/health')).json()).pid, undefined)
    }
    const picture = { headers: { 'sec-fetch-site': 'cross-site' } }
    await refused(await rawFetch(`${mesh.workers[0]?.url}/service/lab/counted`, picture.headers), 403, 'Forbidden')
  })

  it('knows who signed in, and what their groups may do', async () => {
    const token = await issuer.token()
    const { headers } = await (await ask('/service/lab/headers', token)).json()
    assert.equal(headers['hedgerow-caller'], `oidc/${issuer.url}|ada`)
    assert.equal(headers.authorization, undefined)
    const at = async (path: string, claims: Record<string, unknown>): Promise<Response> =>
      fetch(open.url + path, { headers: bearer(await issuer.token(claims)) })
    await refused(await at('/api/admin/workers', { groups: ['advisers'] }), 403, 'Forbidden')
    assert.equal((await at('/api/admin/workers', { groups: ['advisers', 'mesh-admins'] })).status, 200)
  })

  it('takes no token that is not meant for it, has run out, or is not signed by the issuer', async () => {
    const now = Math.floor(Date.now() / 1000)
    const bad: Array<[string, RegExp, Record<string, unknown>, { by?: string; kid?: string }]> = [
      ['another audience', /issued for/, { aud: 'another' }, {}],
      ['no audience', /issued for/, { aud: undefined }, {}],
      ['expired', /expired/, { exp: now - 120 }, {}],
      ['no end', /exp/, { exp: undefined }, {}],
      ['not yet good', /not good yet/, { nbf: now + 120 }, {}],
      ['another issuer', /not of/, { iss: 'https://another.example' }, {}],
      ['nobody', /sub/, { sub: undefined }, {}],
      ['alg none', /signed in a way/, {}, { by: 'none' }],
      ['HS256 with the public key', /signed in a way/, {}, { by: 'hmac' }],
      ["a stranger's signature", /signature/, {}, { by: 'stranger' }],
      ['an unknown key', /does not have/, {}, { by: 'stranger', kid: 'two' }]
    ]
    for (const [what, why, claims, how] of bad) {
      const response = await ask('/service/lab/counted', await issuer.token(claims, how))
      assert.match((await refused(response, 401, 'Unauthorized')).detail, why, what)
      assert.match(response.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    }
    for (const junk of ['a.b.c', '..', 'eyJhbGciOiJSUzI1NiJ9.e30.', '{}'])
      await refused(await ask('/service/lab/counted', junk), 401, 'Unauthorized')
    // Within the leeway of clocks.
    assert.equal((await ask('/service/lab/counted', await issuer.token({ exp: now - 20 }))).status, 200)
  })

  it('lets nobody in while the issuer can not be asked', async () => {
    const port = await freePort()
    const downDir = join(mesh.dataDir, 'down')
    const token = await issuer.token({ iss: `http://127.0.0.1:${port}` })
    await mkdir(downDir)
    const key = await createKey(downDir)
    const tunnelPort = await freePort()
    const down = await startRelay({
      HEDGEROW_DATA_DIR: downDir,
      HEDGEROW_TUNNEL_PORT: String(tunnelPort),
      HEDGEROW_OIDC_ISSUER: `http://127.0.0.1:${port}`,
      HEDGEROW_OIDC_AUDIENCE: AUDIENCE
    })
    try {
      const url = `http://127.0.0.1:${tunnelPort}`
      await until('it is up', async () => (await fetch(`${url}/health`)).ok)
      for (let i = 0; i < 3; i++) {
        const response = await fetch(`${url}/service/lab`, { headers: bearer(token) })
        await refused(response, 503, 'IssuerUnavailable')
        assert.ok(Number(response.headers.get('retry-after')) >= 1)
      }
      // Whoever is known otherwise goes on.
      const keyed = await fetch(`${url}/service/lab`, { headers: bearer(key.key) })
      await refused(keyed, 404, 'UnknownService')
      const back = await startIssuer(AUDIENCE, port)
      try {
        const good = await back.token()
        const response = await until('the issuer is asked again', async () => {
          const answer = await fetch(`${url}/service/lab`, { headers: bearer(good) })
          return answer.status === 503 && (await answer.clone().json()).code === 'IssuerUnavailable'
            ? undefined
            : answer
        })
        await refused(response, 404, 'UnknownService')
      } finally {
        await back.stop()
      }
    } finally {
      await down.stop()
    }
  })
})

/** With headers that `fetch` keeps for itself. */
function rawFetch(url: string, headers: Record<string, string>): Promise<Response> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers, agent: false }, answer => {
      const flat = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)])
      json(answer).then(body => resolve(Response.json(body, { status: answer.statusCode ?? 0, headers: flat })), reject)
    })
      .on('error', reject)
      .end()
  })
}
