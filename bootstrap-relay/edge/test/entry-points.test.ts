import assert from 'node:assert/strict'
import { readEntryPoints } from '../src/entry-points/entry-point.ts'
import { EdgeRun } from './edge-run.ts'
import { FakeRelay, json } from './fake-relay.ts'

const point = (name: string, services: string[] = ['ner-extraction']): Record<string, unknown> => ({
  worker_id: name,
  peer_id: `12D3${name}`,
  access_url: `https://${name}.example.org`,
  services
})

interface Answer {
  status: number
  headers: { get(name: string): string | null }
  body: {
    entry_points: { worker_id: string; access_url: string; services: string[] }[]
    count: number
    error?: string
    updated_at: string
  }
}

describe('entry points at the edge', () => {
  let relays: FakeRelay[]
  let edge: EdgeRun

  const ask = async (path = '/entry-points'): Promise<Answer> => {
    const response = await edge.fetch(path)
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
  }
  const names = ({ body }: Answer): string[] => body.entry_points.map(({ worker_id }) => worker_id).sort()
  const asked = (): number => relays.reduce((sum, relay) => sum + relay.asked('/entry-points').length, 0)
  const each = async (what: 'start' | 'stop'): Promise<void> => {
    for (const relay of relays) await relay[what]()
  }

  beforeEach(async () => {
    relays = ['one', 'two'].map(name => new FakeRelay(name))
    await each('start')
    edge = await EdgeRun.start({ registry: 'none', bindings: { RELAYS: relays.map(({ url }) => url).join(', ') } })
  })

  afterEach(async () => {
    await edge?.dispose()
    await each('stop')
  })

  it('are those of all relays, once each', async () => {
    const [one, two] = relays
    Object.assign(one ?? {}, { entryPoints: [point('a', ['ner-extraction']), point('b')] })
    Object.assign(two ?? {}, { entryPoints: [point('a', ['vision-ocr']), point('c')] })
    const answer = await ask()
    assert.equal(answer.status, 200)
    assert.deepEqual(names(answer), ['a', 'b', 'c'])
    assert.equal(answer.body.count, 3)
    const a = answer.body.entry_points.find(({ worker_id }) => worker_id === 'a')
    assert.deepEqual(a?.services.toSorted(), ['ner-extraction', 'vision-ocr'])
    assert.equal(answer.headers.get('cache-control'), 'public, max-age=60')
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    assert.ok(Date.parse(answer.body.updated_at) > 0)
    const old = await ask('/api/entry-points')
    assert.deepEqual(names(old), ['a', 'b', 'c'])
    assert.equal((await edge.fetch('/entry-points', { method: 'HEAD' })).status, 200)
    const post = await edge.fetch('/entry-points', { method: 'POST', body: 'x' })
    assert.equal(post.status, 405)
    assert.equal(post.headers.get('allow'), 'GET, HEAD')
  })

  it('are asked for once a minute, also by a copy of the Worker that has just begun', async () => {
    for (const relay of relays) relay.entryPoints = [point('a')]
    await ask()
    assert.equal(asked(), 2)
    await edge.advance(59)
    assert.equal((await ask()).headers.get('age'), '59')
    await edge.restart()
    const shared = await ask()
    assert.deepEqual(names(shared), ['a'])
    assert.equal(shared.headers.get('cache-status'), 'hedgerow-edge; hit')
    assert.equal(asked(), 2)
    for (const relay of relays) relay.entryPoints = [point('b')]
    await edge.advance(1)
    assert.deepEqual(names(await ask()), ['b'])
    assert.equal(asked(), 4)
  })

  it('are the last good ones for 120 s when no relay answers, then none', async () => {
    for (const relay of relays) relay.entryPoints = [point('a')]
    await ask()
    await each('stop')
    await edge.advance(61)
    const stale = await ask()
    assert.equal(stale.status, 200)
    assert.deepEqual(names(stale), ['a'])
    assert.equal(stale.headers.get('cache-control'), 'no-store')
    await edge.restart()
    await edge.advance(58)
    assert.deepEqual(names(await ask()), ['a'])
    await edge.advance(1)
    const none = await ask()
    assert.equal(none.status, 503)
    assert.deepEqual(none.body.entry_points, [])
    assert.equal(none.body.count, 0)
    assert.ok(none.body.error)
    assert.equal(none.headers.get('retry-after'), '10')
    assert.equal(none.headers.get('cache-control'), 'no-store')
    await each('start')
    await edge.advance(5)
    assert.deepEqual(names(await ask()), ['a'])
  })

  it('are none when relays answer that they know none, and relays are not asked again at once', async () => {
    assert.equal((await ask()).status, 503)
    assert.equal((await ask()).status, 503)
    assert.equal(asked(), 2)
    await edge.advance(5)
    assert.equal((await ask()).status, 503)
    assert.equal(asked(), 4)
  })

  it('come from one relay when the others are dead, silent, or answer what they should not', async () => {
    const [one, two] = relays
    Object.assign(two ?? {}, { entryPoints: [point('a')] })
    for (const broken of [
      (_: unknown, response: import('node:http').ServerResponse) => void response.destroy(),
      (_: unknown, response: import('node:http').ServerResponse) => void response.end('<html>'),
      (_: unknown, response: import('node:http').ServerResponse) => json(response, 200, { entry_points: 'none' }),
      (_: unknown, response: import('node:http').ServerResponse) =>
        json(response, 200, { entry_points: [null, 7, { worker_id: 'x' }] }),
      (_: unknown, response: import('node:http').ServerResponse) => void response.end(`"${'x'.repeat(2 ** 20)}"`),
      (_: unknown, response: import('node:http').ServerResponse) =>
        void response.writeHead(302, { location: '/elsewhere' }).end(),
      () => {}
    ]) {
      one?.routes.set('/entry-points', broken)
      await edge.advance(60)
      const answer = await ask()
      assert.equal(answer.status, 200)
      assert.deepEqual(names(answer), ['a'])
    }
    assert.equal(one?.asked('/elsewhere').length, 0)
  })

  it('are bounded, whatever a relay says', async () => {
    for (const relay of relays)
      relay.entryPoints = Array.from({ length: 400 }, (_, i) =>
        point(
          `${relay.name}${i}`,
          Array.from({ length: 80 }, (_, service) => `s${service}`)
        )
      )
    const { body } = await ask()
    assert.equal(body.count, 256)
    assert.equal(body.entry_points[0]?.services.length, 64)
  })

  it('keep what kind they are, where a relay says one that there is', async () => {
    const kinds = ['tunnel', 'public', 'local', 'best of all', 7, undefined]
    const entries = { entry_points: kinds.map(kind => ({ ...point('a'), kind })) }
    assert.deepEqual(
      readEntryPoints(entries, false).map(({ kind }) => kind),
      ['tunnel', 'public', 'local', undefined, undefined, undefined]
    )
  })

  it('are public https URLs alone, unless the deployment is for trying out', async () => {
    await edge.dispose()
    for (const relay of relays)
      relay.entryPoints = [point('a'), { ...point('home'), access_url: 'http://192.168.1.2:8080' }]
    edge = await EdgeRun.start({ registry: 'none', bindings: { RELAYS: relays.map(({ url }) => url).join() } })
    assert.deepEqual(names(await ask()), ['a', 'home'])
    await edge.dispose()
    edge = await EdgeRun.start({
      registry: 'none',
      bindings: { RELAYS: relays.map(({ url }) => url).join(), ALLOW_PRIVATE: 'false' }
    })
    // And so must the relays be that are asked: none of these is.
    const before = asked()
    assert.equal((await ask()).status, 503)
    assert.equal(asked(), before)
    const entries = { entry_points: relays[0]?.entryPoints }
    assert.deepEqual(
      readEntryPoints(entries, false).map(({ worker_id }) => worker_id),
      ['a']
    )
  })
})
