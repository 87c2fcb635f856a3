import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judgeClock } from '../src/commands/doctor/checks/clock.ts'
import { judgeCredential } from '../src/commands/doctor/checks/credential.ts'
import { judgeDht } from '../src/commands/doctor/checks/dht.ts'
import { judgeDirect } from '../src/commands/doctor/checks/direct.ts'
import { judgeDocker } from '../src/commands/doctor/checks/docker.ts'
import { judgeEntry } from '../src/commands/doctor/checks/entry.ts'
import { judgeEvents } from '../src/commands/doctor/checks/events.ts'
import { judgeGpu } from '../src/commands/doctor/checks/gpu.ts'
import { judgeMesh } from '../src/commands/doctor/checks/mesh.ts'
import { judgeName } from '../src/commands/doctor/checks/name.ts'
import { judgeNat } from '../src/commands/doctor/checks/nat.ts'
import { judgeRelay } from '../src/commands/doctor/checks/relay.ts'
import { judgeReservation } from '../src/commands/doctor/checks/reservation.ts'
import { judgeEntryPoints, judgeRoute, type RouteAnswer } from '../src/commands/doctor/checks/routes.ts'
import { CHECK_IDS, type DoctorReport, examine, type Verdict } from '../src/commands/doctor/index.ts'
import { bindingRequest, readBinding, stunServers } from '../src/commands/doctor/stun.ts'
import { urlOf } from '../src/commands/doctor/target.ts'
import { renderResult } from '../src/render/doctor.ts'
import { styleFor } from '../src/render/style.ts'
import { listening } from './support/listening.ts'
import { NOW } from './support/peers.ts'

const HOUR = 3_600_000
const signal = new AbortController().signal
const states = (verdicts: Verdict[]): string => verdicts.map(({ state }) => state).join(' ')

describe('the verdicts of the doctor', () => {
  it('tell a slip in a name from a machine that is offline', () => {
    assert.equal(judgeName('mesh.example.org', ['192.0.2.1', '2001:db8::1']).state, 'well')
    assert.match(judgeName('127.0.0.1', ['127.0.0.1']).found, /is an address/)
    const [slip, offline] = [judgeName('mesh.example.ogr', 'ENOTFOUND'), judgeName('mesh.example.org', 'EAI_AGAIN')]
    assert.equal(states([slip, offline]), 'wrong wrong')
    assert.notEqual(slip.found, offline.found)
  })

  it('want a relay that is healthy and names addresses', () => {
    const mesh = { mesh: 'charity', peers: ['/dns4/mesh.example.org/tcp/443/tls/ws'] }
    assert.equal(
      states([
        judgeRelay({ name: 'r', status: 'healthy' }, mesh),
        judgeRelay({ name: 'r', status: 'starting' }, mesh),
        judgeRelay({ name: 'r', status: 'draining' }, mesh),
        judgeRelay({ name: 'r', status: 'healthy' }, { ...mesh, peers: [] })
      ]),
      'well wrong wrong wrong'
    )
  })

  it('take a minute of clock either way, and say in which direction more is', () => {
    assert.equal(states([0, 59_000, -59_000].map(judgeClock)), 'well well well')
    assert.match(judgeClock(20 * 60_000).found, /^20 min ahead/)
    assert.match(judgeClock(-2 * HOUR).found, /^2 h behind/)
    assert.equal(judgeClock(61_000).state, 'wrong')
  })

  it('say of a mesh what it takes to join', () => {
    assert.match(judgeMesh({ name: 'm', closed: false, brings: undefined }).found, /open/)
    assert.match(
      judgeMesh({ name: 'm', closed: true, brings: undefined }).found,
      /invite or a credential is needed.*guest/
    )
    assert.match(judgeMesh({ name: 'm', closed: true, brings: 'an invite' }).found, /an invite is named/)
  })

  it('look at what the daemon of this machine has been given', () => {
    const credential = (over: object) => ({
      ...{ expires_at: new Date(NOW + HOUR).toISOString(), issuer: 'authority', roles: ['worker'] },
      ...{ services: ['*'], classes: ['internal'], renewed: true },
      ...over
    })
    const judge = (over: object): Verdict => judgeCredential({ closed: true, credential: credential(over) }, 'w', NOW)
    assert.equal(
      states([
        judgeCredential({ closed: false, credential: null }, 'w', NOW),
        judgeCredential({ closed: true, credential: null }, 'w', NOW),
        judge({}),
        judge({ renewed: false, warning: 'it ends soon' }),
        judge({ expires_at: new Date(NOW - 1000).toISOString() })
      ]),
      'well wrong well wrong wrong'
    )
  })

  it('want somebody to answer for the DHT, and news', () => {
    assert.equal(
      states([
        judgeDht({ what: 'relay', answered: 0, providers: 0 }),
        judgeDht({ what: 'relay', answered: 2, providers: 0 }),
        judgeDht({ what: 'ner-extraction', answered: 2, providers: 3 })
      ]),
      'wrong well well'
    )
    const heard = { caughtUp: true, news: true, neighbours: 1, services: 1 }
    assert.equal(
      states([
        judgeEvents(heard),
        judgeEvents({ ...heard, news: false }),
        judgeEvents({ ...heard, news: false, services: 0 }),
        judgeEvents({ ...heard, neighbours: 0 }),
        judgeEvents({ ...heard, caughtUp: false })
      ]),
      'well wrong none wrong wrong'
    )
  })

  it('tell NAT by how others see this machine', () => {
    const judge = (seen: string[], stun = 0, mapped: string[] = []): Verdict =>
      judgeNat({ seen, own: ['192.168.1.5', '203.0.113.9'], stun, mapped })
    assert.equal(states([judge([]), judge(['127.0.0.1']), judge(['203.0.113.9'])]), 'none none well')
    assert.match(judge(['203.0.113.9']).found, /its own address/)
    assert.match(judge(['198.51.100.7']).found, /198\.51\.100\.7.*only relayed/)
    const [port, another] = ['198.51.100.7:4001', '198.51.100.7:4002']
    assert.equal(states([judge(['198.51.100.7'], 1)]), 'wrong')
    // Behind a tunnel the relay doesn't see it.
    assert.match(judge(['127.0.0.1'], 1, [port]).found, /198\.51\.100\.7; .*a second STUN server/)
    assert.match(judge([], 2, [port, port]).found, /cone/)
    assert.match(judge([], 2, [port, another]).found, /symmetric/)
  })

  it('know which servers speak STUN, and read their answers', () => {
    const urls = [
      'stun:a.example:19302',
      'turn:b.example?transport=udp',
      'turns:c.example',
      'stun:[2001:db8::1]:1',
      'x'
    ]
    assert.deepEqual(stunServers(urls.map(url => ({ urls: url }))), [
      { host: 'a.example', port: 19_302 },
      { host: 'b.example', port: 3478 }
    ])
    // RFC 5769, 2.2
    const answer = Buffer.from(
      `0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643${'000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96'}`,
      'hex'
    )
    const id = answer.subarray(8, 20)
    assert.equal(readBinding(answer, id), '192.0.2.1:32853')
    assert.equal(readBinding(answer, Buffer.alloc(12)), undefined, 'of another request')
    for (let length = 0; length < 48; length++) assert.equal(readBinding(answer.subarray(0, length), id), undefined)
    assert.equal(readBinding(bindingRequest(id), id), undefined)
  })

  it('tell whether this machine is an entry point, and what keeps others from it', () => {
    const addr = '/ip4/198.51.100.7/tcp/4001'
    const failed = { addr, verified: false, problem: '2 peers tried and did not get through' }
    assert.equal(
      states([
        judgeEntry(undefined),
        judgeEntry([]),
        judgeEntry([failed, { addr, verified: true, kind: 'public' }]),
        judgeEntry([failed]),
        judgeEntry([{ addr, verified: false, problem: 'there is no other peer to try it yet' }])
      ]),
      'none none well wrong none'
    )
    assert.match(judgeEntry([]).found, /HEDGEROW_UPNP=on/)
  })

  it('count places on relays, and ways to workers', () => {
    assert.equal(states([judgeReservation([])]), 'wrong')
    const place = '/ip4/192.0.2.1/tcp/443/p2p/12D3KooWrelay/p2p-circuit/p2p/12D3KooWme'
    assert.match(judgeReservation([place, place.replace('443', '80')]).found, /^1 relay keeps/)
    const way = (name: string, path?: 'direct' | 'relayed') => ({ name, path })
    assert.equal(
      states([
        judgeDirect([]),
        judgeDirect([way('a', 'direct'), way('b', 'relayed'), way('c')]),
        judgeDirect([way('a', 'relayed')]),
        judgeDirect([way('a'), way('b')])
      ]),
      'none well none wrong'
    )
    assert.match(
      judgeDirect([way('a', 'direct'), way('b', 'relayed'), way('c')]).found,
      /directly: a; .*relay: b; not: c$/
    )
    const back = { ...way('a', 'direct'), back: 'direct' }
    assert.match(
      judgeDirect([back, { ...back, name: 'b' }, { ...way('c', 'relayed'), back: 'relayed' }]).found,
      /; the daemon here is reached directly by a, b; through a relay by c$/
    )
  })

  it('miss neither GPU nor Docker, but want those that are there to work', () => {
    const gpus = [{ model: 'RTX 4090', memory: 24_564 }]
    assert.equal(
      states([judgeGpu([]), judgeGpu(gpus), judgeGpu([{ model: 'NVIDIA GPU', memory: 0 }])]),
      'none well wrong'
    )
    const place = '/var/run/docker.sock'
    const at = (code: string | number) => ({ place, code })
    const engine = { name: 'Docker', version: '27.1.0', swapLimit: true } as const
    assert.equal(
      states(
        [
          [],
          [at('ENOENT')],
          [at('ENOENT'), { place, engine }],
          [at('EACCES')],
          [at('ECONNREFUSED')],
          [at('ETIMEDOUT')],
          [at(500)]
        ].map(judgeDocker)
      ),
      'none none well wrong wrong wrong wrong'
    )
    assert.match(judgeDocker([{ place, engine }]).found, /Docker 27\.1\.0 answers at .*no GPU/)
    assert.match(judgeDocker([{ place, engine: { ...engine, gpu: 'nvidia' } }]).found, /a GPU$/)
  })

  it('tell a route that nobody offers from one that breaks, and from one that wants a key', () => {
    const answer = (over: Partial<RouteAnswer>): RouteAnswer => ({
      status: 200,
      error: undefined,
      worker: undefined,
      ...over
    })
    const judge = (
      over: Partial<RouteAnswer>,
      workers: string[] | undefined = ['w'],
      service = 'ner-extraction'
    ): Verdict => judgeRoute({ service, workers }, answer(over))
    assert.equal(
      states([
        judge({ worker: 'w' }),
        judge({ status: 429, error: 'Busy' }),
        judge({ status: 404, error: 'UnknownOperation' }),
        judge({ status: 401, error: 'Unauthorized' }),
        judge({ status: 403, error: 'Forbidden' })
      ]),
      'well well well none none'
    )
    assert.equal(
      states([
        judge({ status: 503, error: 'NoWorker' }, undefined),
        judge({}, []),
        judge({ status: 502, error: 'WorkerLost' }),
        judge({ status: 500, worker: 'w' }),
        judge({ status: undefined, reason: 'no answer' })
      ]),
      'wrong wrong wrong wrong wrong'
    )
    assert.equal(judge({ status: 503, error: 'NoWorker' }, [], 'llm-inference').state, 'none')
    assert.equal(
      states([200, 503, 404, undefined].map(status => judgeEntryPoints({ status }))),
      'well none wrong wrong'
    )
  })

  it('find where a relay answers over HTTP', () => {
    const of = (url: string | null, ...addrs: string[]): string | undefined => urlOf({ url, addrs })?.href
    assert.equal(of('https://mesh.example.org'), 'https://mesh.example.org/')
    assert.equal(of(null, '/ip4/10.0.0.1/tcp/4001', '/ip4/10.0.0.1/tcp/8080/ws/p2p/12D3KooWx'), 'http://10.0.0.1:8080/')
    assert.equal(of(null, '/dns4/mesh.example.org/tcp/443/tls/ws'), 'https://mesh.example.org/')
    assert.equal(of(null, '/ip6/::1/tcp/8080/ws'), 'http://[::1]:8080/')
    assert.equal(of(null, '/ip4/10.0.0.1/tcp/4001'), undefined)
  })

  it('show nothing of what others wrote that a terminal would obey', () => {
    const fix = 'mend \u001b[2Jit'
    const text = renderResult(
      { check: 'name', title: 'a\u001b]0;x\u0007', ms: 1, state: 'wrong', found: '\u001b[31mred', fix },
      styleFor({}, {})
    )
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/)
  })
})

describe('the doctor, where no relay answers', function () {
  this.timeout(40_000)
  /** No daemon of this machine is found there. */
  const env = { HEDGEROW_HTTP_PORT: '1' }
  const stateOf = ({ checks }: DoctorReport, id: string): string | undefined =>
    checks.find(({ check }) => check === id)?.state

  it('ends with 3 when nothing listens, and says what comes first', async () => {
    const { port, close } = await listening(createTcpServer())
    await close()
    const report = await examine({ url: `http://127.0.0.1:${port}`, env, dockerSockets: [] }, signal)
    assert.equal(report.exit_code, 3)
    assert.deepEqual([...new Set(report.checks.map(({ check }) => check))], [...CHECK_IDS], 'in order, each once')
    assert.deepEqual(
      ['name', 'relay', 'join', 'docker'].map(id => stateOf(report, id)),
      ['well', 'wrong', 'none', 'none']
    )
  })

  it('is done in time when the relay takes connections and says nothing', async () => {
    const { port, close } = await listening(createTcpServer())
    const startedAt = performance.now()
    const report = await examine({ url: `http://127.0.0.1:${port}`, env, dockerSockets: [] }, signal).finally(close)
    assert.ok(performance.now() - startedAt < 30_000)
    assert.equal(stateOf(report, 'relay'), 'wrong')
    assert.equal(report.exit_code, 3)
  })

  it('is done in time when the relay answers over HTTP, and nobody is at the address that it names', async () => {
    const silent = await listening(createTcpServer())
    const peerId = '12D3KooWPupARkuvoAED9qZVLxiwn9Fvs7xm7Lrd6rv2JT3eD5TA'
    const answers: Record<string, object> = {
      '/health': { status: 'healthy', peer_id: peerId, worker_id: 'relay' },
      '/bootstrap': { mesh: 'hedgerow', peers: [`/ip4/127.0.0.1/tcp/${silent.port}/p2p/${peerId}`] }
    }
    // It takes no WebSocket either, and answers no request to a service.
    const web = createServer(({ url = '' }, response) => {
      if (answers[url] != null) response.end(JSON.stringify(answers[url]))
    })
    const { port, close } = await listening(web.on('upgrade', () => {}))
    const startedAt = performance.now()
    const report = await examine({ url: `http://127.0.0.1:${port}`, env, dockerSockets: [], services: ['ner'] }, signal)
    await Promise.all([close(), silent.close()])
    assert.ok(performance.now() - startedAt < 30_000)
    const wrong = report.checks.filter(({ state }) => state === 'wrong').map(({ check }) => check)
    assert.deepEqual(wrong, ['websocket', 'join', 'routes'])
    assert.equal(report.exit_code, 1)
  })

  it('does not take any web server for a relay', async () => {
    const { port, close } = await listening(createServer((_request, response) => response.end('<html>hello</html>')))
    const report = await examine({ url: `http://127.0.0.1:${port}`, env, dockerSockets: [] }, signal).finally(close)
    assert.equal(stateOf(report, 'relay'), 'wrong')
  })

  it('asks for a URL where nothing says which relay', async () => {
    await assert.rejects(examine({ env }, signal), { code: 'Unreachable' })
    await assert.rejects(examine({ url: 'ftp://mesh.example.org', env }, signal), { code: 'Usage' })
  })

  it('asks for a key where the peer of this machine wants one', async () => {
    const { port, close } = await listening(
      createServer(({ url }, response) => {
        const isHealth = url === '/health'
        const refused = { status: 401, code: 'Unauthorized', detail: 'who are you?' }
        response.statusCode = isHealth ? 200 : 401
        response.end(JSON.stringify(isHealth ? { status: 'healthy', peer_id: 'x', worker_id: 'gate' } : refused))
      })
    )
    const asked = examine({ env: { HEDGEROW_HTTP_PORT: String(port) } }, signal).finally(close)
    await assert.rejects(asked, { code: 'Unreachable', message: 'gate names relays only to who has a key' })
  })

  it('asks a Docker engine at its socket', async () => {
    const socket = join(tmpdir(), `hedgerow-doctor-${process.pid}.sock`)
    const answers: Record<string, unknown> = {
      '/_ping': 'OK',
      '/version': { Version: '27.1.0', ApiVersion: '1.46', Components: [{ Name: 'Engine' }] },
      '/info': { Runtimes: { runc: {}, nvidia: {} }, SwapLimit: true }
    }
    const engine = createServer(({ url = '' }, response) => response.end(JSON.stringify(answers[url])))
    const { close } = await listening(engine, socket)
    const { checks } = await examine(
      { url: 'http://127.0.0.1:1', env, dockerSockets: ['/nowhere/docker.sock', socket] },
      signal
    ).finally(close)
    assert.equal(
      checks.find(({ check }) => check === 'docker')?.found,
      `Docker 27.1.0 answers at ${socket}; it can give containers a GPU`
    )
  })

  it('goes by the setting of the daemon for Docker', async () => {
    const at = async (HEDGEROW_DOCKER_SOCKET: string) => {
      const { checks } = await examine({ url: 'http://127.0.0.1:1', env: { ...env, HEDGEROW_DOCKER_SOCKET } }, signal)
      return checks.find(({ check }) => check === 'docker')?.state
    }
    assert.equal(await at('off'), 'none')
    assert.equal(await at('/nowhere/docker.sock'), 'none')
    assert.equal(await at('ssh://host'), 'wrong')
  })
})
