import assert from 'node:assert/strict'
import { labelledTexts, Scores } from './evaluation.ts'
import { extractor } from './shared.ts'

/** a little below what was measured, so that a change that loses anything shows; see the README for the figures */
const FLOORS: Record<string, { precision: number; recall: number }> = {
  all: { precision: 0.93, recall: 0.93 },
  notes: { precision: 0.9, recall: 0.9 },
  prose: { precision: 0.9, recall: 0.9 },
  letters: { precision: 0.9, recall: 0.9 },
  ocr: { precision: 0.88, recall: 0.88 },
  PERSON: { precision: 0.92, recall: 0.92 },
  ORG: { precision: 0.86, recall: 0.86 },
  MONEY: { precision: 0.97, recall: 0.97 },
  DATE: { precision: 0.95, recall: 0.95 },
  PLACE: { precision: 0.88, recall: 0.88 },
  ACCOUNT: { precision: 0.86, recall: 0.86 },
  POSTCODE: { precision: 0.95, recall: 0.95 },
  NINO: { precision: 0.95, recall: 0.95 },
  PHONE: { precision: 0.95, recall: 0.95 },
  EMAIL: { precision: 0.95, recall: 0.95 }
}

describe('on texts that the rules were not written on', () => {
  const texts = labelledTexts('held-out')
  const scores = new Scores()
  before(() => {
    for (const labelled of texts) scores.add(labelled, extractor.extract(labelled.text))
  })

  it('there are enough of them, of every register and type', () => {
    assert.ok(texts.length >= 150)
    for (const key of Object.keys(FLOORS)) assert.ok(scores.of(key).labelled >= 5, key)
  })

  for (const [key, floor] of Object.entries(FLOORS)) {
    it(`precision and recall of ${key} hold`, () => {
      const { precision, recall } = scores.of(key)
      assert.ok(precision >= floor.precision, `precision ${precision.toFixed(3)}`)
      assert.ok(recall >= floor.recall, `recall ${recall.toFixed(3)}`)
    })
  }

  it('reads at least 500 of them for a second of processor time', () => {
    const rounds = 5
    const before = process.cpuUsage()
    for (let round = 0; round < rounds; round++) for (const { text } of texts) extractor.extract(text)
    const { user, system } = process.cpuUsage(before)
    const rate = (rounds * texts.length) / ((user + system) / 1e6)
    assert.ok(rate >= 500, `${Math.round(rate)} texts/s`)
  })
})
