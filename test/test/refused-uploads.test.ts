import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { postJson, type TestMesh, testMesh } from '../src/harness.ts'
import { UPLOADERS, type Upload } from '../src/uploads.ts'

const MIB = 1024 * 1024

describe('an upload that is refused before it has arrived', function () {
  this.timeout(120_000)
  let mesh: TestMesh

  before(async () => {
    mesh = await testMesh({ workers: 1 })
  })

  after(() => mesh?.stop())

  const cases: Array<[string, string, number, number, number, string]> = [
    // what, path, MiB, times by each client in either framing, status, code
    ['that is over the limit of its operation', '/service/lab/echo', 12, 7, 413, 'BodyTooLarge'],
    ['of 30 MB where 25 are taken', '/service/lab/paper', 30, 1, 413, 'BodyTooLarge'],
    ['for a service that there is not', '/service/no-such-service', 12, 3, 404, 'UnknownService'],
    ['that an ingress reads itself', '/v1/chat/completions', 40, 1, 413, 'BodyTooLarge'],
    ['by a backend that answers at once', '/service/lab/refuse/reading', 12, 3, 413, 'own']
  ]

  for (const [name, send] of Object.entries(UPLOADERS)) {
    describe(`by ${name}`, () => {
      before(function () {
        if (name !== 'curl' || spawnSync('curl', ['--version']).status === 0) return
        if (process.env.CI === 'true') throw new Error('curl is not installed')
        this.test?.parent?.eachTest(test => {
          test.pending = true
        })
      })

      for (const [what, path, size, times, status, code] of cases) {
        it(`${what}: ${status} each time`, async () => {
          for (const chunked of [false, true]) {
            for (let i = 0; i < times; i++) {
              const answer = await send({ url: mesh.relay.url + path, size: size * MIB, chunked })
              assert.equal(answer.status, status, answer.body)
              if (code === 'own') assert.equal(answer.body, '{"own":"refusal"}')
              else {
                assert.match(answer.type, /^application\/problem\+json/)
                assert.equal(JSON.parse(answer.body).code, code)
              }
            }
          }
        })
      }
    })
  }

  it('is answered by 429 when all are busy, whoever sends it', async () => {
    let loaded = true
    const load = Array.from({ length: 160 }, async () => {
      while (loaded) {
        const { status } = await postJson(`${mesh.relay.url}/service/lab/slow?ms=1500`, {})
        if (status === 429) await sleep(100)
      }
    })
    const statuses = new Set<number>()
    try {
      for (const send of Object.values(UPLOADERS)) {
        for (const chunked of [false, true]) {
          const upload: Upload = { url: `${mesh.relay.url}/service/lab/paper`, size: 12 * MIB, chunked }
          statuses.add((await send(upload)).status)
        }
      }
    } finally {
      loaded = false
      await Promise.all(load)
    }
    statuses.delete(200)
    assert.deepEqual([...statuses], [429])
  })
})
