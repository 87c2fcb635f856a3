import assert from 'node:assert/strict'
import { labelledTexts, Scores } from './evaluation.ts'
import { extractor } from './shared.ts'

/** a little below what was measured, so that a change that loses anything shows; see the README for the figures */
const FLOORS: Record<string, { precision: number; recall: number }> = {
  all: { precision: 0.96, recall: 0.96 },
  notes: { precision: 0.95, recall: 0.96 },
  prose: { precision: 0.95, recall: 0.96 },
  letters: { precision: 0.96, recall: 0.96 },
  ocr: { precision: 0.94, recall: 0.93 },
  PERSON: { precision: 0.95, recall: 0.95 },
  ORG: { precision: 0.89, recall: 0.92 },
  MONEY: { precision: 0.98, recall: 0.99 },
  DATE: { precision: 0.98, recall: 0.98 },
  PLACE: { precision: 0.97, recall: 0.96 },
  ACCOUNT: { precision: 0.95, recall: 0.93 },
  POSTCODE: { precision: 1, recall: 1 },
  NINO: { precision: 1, recall: 1 },
  PHONE: { precision: 1, recall: 1 },
  EMAIL: { precision: 1, recall: 1 }
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
