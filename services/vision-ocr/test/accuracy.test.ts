import assert from 'node:assert/strict'
import { editDistance, normalise } from './support/errors.ts'
import { heldOutPages } from './support/held-out.ts'
import { type RunningService, startService } from './support/service.ts'

/** Shares of the characters; measured are .00044 and .00032 (`node test/evaluate.ts`). */
const MOST_ERRORS = { clean: 0.0006, noisy: 0.0015 }
/** milliseconds a page; about 3,000 are usual, and a busy machine may take its time */
const MOST_TIME = 20_000

describe('held-out pages', () => {
  let service: RunningService
  before(async () => {
    service = await startService()
  })
  after(() => service.stop())

  it('are read as exactly as they have been, from a good scan and from a poor one', async function () {
    this.timeout(600_000)
    const errors = { clean: 0, noisy: 0 }
    let characters = 0
    let pages = 0
    const start = performance.now()
    for await (const page of heldOutPages()) {
      const truth = normalise(page.truth)
      characters += truth.length
      pages += 2
      const read = async (kind: 'clean' | 'noisy'): Promise<void> => {
        const response = await fetch(`${service.url}/recognize`, { method: 'POST', body: new Uint8Array(page[kind]) })
        assert.equal(response.status, 200)
        const { text, confidence } = await response.json()
        errors[kind] += editDistance(normalise(text), truth)
        assert.ok(confidence > 0.85 && confidence <= 1, `${page.name}, ${kind}: ${confidence}`)
      }
      await Promise.all([read('clean'), read('noisy')])
    }
    const time = (performance.now() - start) / pages
    assert.ok(characters > 15_000)
    assert.ok(errors.clean / characters <= MOST_ERRORS.clean, `${errors.clean} of ${characters}`)
    assert.ok(errors.noisy / characters <= MOST_ERRORS.noisy, `${errors.noisy} of ${characters}`)
    assert.ok(time < MOST_TIME, `${time} ms a page`)
  })
})
