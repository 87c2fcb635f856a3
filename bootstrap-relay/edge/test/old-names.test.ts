import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { EdgeRun } from './edge-run.ts'

const GUIDE = readFileSync(new URL('../../../docs/from-the-old-coordinator.md', import.meta.url), 'utf8')

describe('what relays of the old system sent to an edge', () => {
  let edge: EdgeRun

  before(async () => {
    edge = await EdgeRun.start({ registry: 'durable' })
  })
  after(() => edge?.dispose())

  it('is taken where, and as, the guide says', async () => {
    const routes = [...GUIDE.matchAll(/^\| `POST (\S+)` +\|/gm)].map(([, route = '']) => route)
    assert.equal(routes.length, 2)
    const [, fields = ''] = /^\| bodies to the edge +\| ([^|]+)\|/m.exec(GUIDE) ?? []
    const names = [...fields.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
    assert.equal(names.length, 2)
    for (const [i, route] of routes.entries()) {
      for (const name of ['url', ...names]) {
        const answer = await edge.post(route, { worker_id: `relay-${i}`, [name]: `http://127.0.0.1:${8000 + i}` })
        assert.equal(answer.status, 200, `${route} with ${name}`)
        assert.equal(((await answer.json()) as { worker_id: string }).worker_id, `relay-${i}`)
      }
      const stranger = await edge.fetch(route, { method: 'POST', body: '{}' })
      assert.equal(stranger.status, 401)
    }
  })
})
