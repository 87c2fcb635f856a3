import assert from 'node:assert/strict'
import type { ServiceApp } from '@hedgerow/service-kit'
import { type Config, phrases } from '../src/config.ts'
import { readCase } from '../src/extract/case.ts'
import type { Lexicon } from '../src/lexicon.ts'
import { addScores, loadNotes, precision, recall, type Score, scoreNote } from './score.ts'
import { convert, shipped, startApp } from './support.ts'

/** [precision, recall], a little below what was measured (README). */
const FLOORS: Record<string, Record<string, [number, number]>> = {
  'labelled-held-out': {
    debts: [0.98, 0.97],
    priority: [0.98, 0.97],
    'total of debts': [0.9, 0.9],
    income: [0.97, 0.97],
    spending: [0.96, 0.96],
    'stated totals': [0.97, 0.97],
    client: [0.95, 0.95],
    adviser: [0.95, 0.9],
    date: [0.95, 0.95],
    decision: [0.95, 0.95],
    deadlines: [0.93, 0.96]
  },
  'prose-held-out': {
    debts: [0.91, 0.88],
    priority: [0.96, 0.9],
    'total of debts': [0.7, 0.7],
    income: [0.91, 0.89],
    spending: [0.87, 0.94],
    'stated totals': [0.86, 0.78],
    client: [0.87, 0.95],
    date: [0.95, 0.95],
    decision: [0.87, 0.78],
    deadlines: [0.89, 0.92]
  }
}

describe('how well notes are read that the rules were not written on', () => {
  let config: Config
  let lexicon: Lexicon

  before(async () => {
    ;({ config, lexicon } = await shipped())
  })

  for (const [set, floors] of Object.entries(FLOORS)) {
    describe(set, () => {
      let score: Score

      before(() => {
        score = addScores(loadNotes(set).map(note => scoreNote(note, lexicon, config).score))
      })

      for (const [field, [lowestPrecision, lowestRecall]] of Object.entries(floors)) {
        it(`${field}: precision at least ${lowestPrecision}, recall at least ${lowestRecall}`, () => {
          const count = score.get(field)
          assert.ok(count != null && count.right > 10, `${field} was not measured`)
          assert.ok(precision(count) >= lowestPrecision, `precision ${precision(count).toFixed(3)}`)
          assert.ok(recall(count) >= lowestRecall, `recall ${recall(count).toFixed(3)}`)
        })
      }
    })
  }

  it('sees a fault when there is one', () => {
    const [note] = loadNotes('labelled-dev')
    assert.ok(note != null)
    const [first, ...rest] = note.gold.debts
    assert.ok(first != null)
    const { score, faults } = scoreNote(
      { ...note, gold: { ...note.gold, debts: [{ ...first, balance: 1 }, ...rest] } },
      lexicon,
      config
    )
    assert.deepEqual(score.get('debts'), { right: 4, wrong: 1, missed: 1 })
    assert.equal(faults.filter(fault => fault.startsWith('debts')).length, 2)
  })

  it('keeps held-out notes apart from those that rules are written on', () => {
    const dev = new Set(
      ['labelled-dev', 'labelled-dev-2', 'prose-dev', 'prose-dev-2', 'prose-dev-3'].flatMap(set =>
        loadNotes(set).map(({ notes }) => notes)
      )
    )
    const held = Object.keys(FLOORS).flatMap(set => loadNotes(set))
    assert.ok(
      held.filter(({ id }) => id.startsWith('l')).length >= 15 &&
        held.filter(({ id }) => id.startsWith('p')).length >= 20
    )
    for (const { notes, id } of held) assert.ok(!dev.has(notes), id)
  })

  it('finds every creditor that it knows, however a list puts it', () => {
    const forms = [
      (name: string) => `- ${name}: £123.45`,
      (name: string) => `${name} loan £123.45`,
      (name: string) => `${name} - loan - £123.45 - NP`,
      (name: string) => `${name}, loan, £123.45`,
      (name: string) => `loan with ${name}: £123.45`,
      (name: string) => `${name} | loan | £123.45`
    ]
    const missed: string[] = []
    let asked = 0
    for (const [kind, list] of Object.entries(config.words.creditors)) {
      if (kind === 'agent') continue
      for (const entry of phrases(list)) {
        const [name = ''] = entry.split('=').map(part => part.trim())
        for (const form of forms) {
          const notes = `Debts:\n${form(name)}`
          const { debts } = readCase(lexicon, notes)
          const [debt] = debts
          asked += 1
          if (debts.length !== 1 || debt?.balance?.value !== 12345 || debt.creditor?.value !== name) missed.push(notes)
        }
      }
    }
    assert.ok(missed.length < asked / 200, missed.slice(0, 20).join('\n'))
  })
})

describe('letters from all labelled notes', function () {
  this.timeout(90_000)
  let app: ServiceApp

  before(async () => {
    app = await startApp()
  })
  after(() => app.close())

  it('pass their self-check in every format, with every amount of the gold in them', async () => {
    for (const set of [
      ...Object.keys(FLOORS),
      'labelled-dev',
      'labelled-dev-2',
      'prose-dev',
      'prose-dev-2',
      'prose-dev-3'
    ]) {
      for (const { notes, gold, id } of loadNotes(set)) {
        const { letter } = await convert(app, { notes })
        await convert(app, { notes, format: 'html' })
        await convert(app, { notes, format: 'markdown' })
        for (const { amount } of [...gold.income, ...gold.spending]) {
          const [whole = '', rest = ''] = (amount / 100).toFixed(2).split('.')
          const written = [`${Number(whole).toLocaleString('en-GB')}.${rest}`, whole]
          assert.ok(
            written.some(figure => letter.includes(figure)) || /hundred|grand|k\b/.test(notes),
            `${id}: ${amount}`
          )
        }
      }
    }
  })
})
