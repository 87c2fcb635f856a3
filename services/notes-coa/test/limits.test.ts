import assert from 'node:assert/strict'
import type { ServiceApp } from '@hedgerow/service-kit'
import { MAX_NOTES } from '../src/schema.ts'
import { convert, startApp } from './support.ts'

/** Milliseconds of processor time: ten times what the worst takes, and far below what anything quadratic would. */
const BOUND = 25_000

function full(unit: string, before = ''): string {
  return (before + unit.repeat(Math.ceil(MAX_NOTES / unit.length))).slice(0, MAX_NOTES)
}

describe('notes of the largest size', function () {
  this.timeout(BOUND * 4)
  let app: ServiceApp

  before(async () => {
    app = await startApp()
  })
  after(() => app.close())

  const hostile: Record<string, string> = {
    'ordinary sentences': full('She owes Barclaycard about £3,100 and has an overdraft with Lloyds of £850. '),
    'pound signs': full('£'),
    'one-pound sums': full('£1 '),
    'one endless number': full('1'),
    'thousands parted by spaces': full('£1 000 000 '),
    'commas within a sum': full('£1,'),
    'numbers in words': full('two hundred thousand and '),
    capitals: full('Aa & Bb of '),
    'one endless word': full('a'),
    'one letter with endless accents': full('\u0301', 'a'),
    'white space, then a word': `${' '.repeat(MAX_NOTES - 1)}x`,
    colons: full('a: '),
    labels: full('Debt: '),
    'empty labels': full('Debt:\n'),
    'people on one line': full('Client: A   Adviser: B   Date: 1/1/26   '),
    'full stops': full('.'),
    pipes: full('| a '),
    tabs: full('Debt\t'),
    brackets: full('('),
    'quotation marks': full('"a, b" '),
    'commas without spaces': full('a,b\n'),
    'empty lines': full('\n', 'x'),
    headings: full('## x\n'),
    bullets: full('- £5 x\n'),
    'debts to nobody': full('£5\n', 'Debts:\n'),
    'a table': full('a | b | £5\n', 'Creditor | Type | Balance\n'),
    records: full('Creditor: x\nBalance: £5\n'),
    incomes: full('wages £5 pm\n', 'Income:\n'),
    totals: full('Total: £5\n'),
    deadlines: full('by 12 March 2026 '),
    tasks: full('I will send it by 3 March. '),
    options: full('DMP: no; ', 'Options:\n'),
    decisions: full('She chose a DRO. '),
    gaps: full('[ADVISER TO COMPLETE: x] '),
    markup: full('<b>&amp;*_`')
  }
  for (const [what, notes] of Object.entries(hostile)) {
    it(`are answered in bounded time: ${what}`, async () => {
      const before = process.cpuUsage().user
      const { letter } = await convert(app, { notes, format: 'markdown' })
      assert.ok((process.cpuUsage().user - before) / 1000 < BOUND)
      assert.ok(letter.length < 12 * MAX_NOTES)
    })
  }

  it('are the largest that are taken', async () => {
    const reply = await app.inject({ method: 'POST', url: '/convert', payload: { notes: `${full('a')}a` } })
    assert.equal(reply.statusCode, 422)
    const larger = await app.inject({ method: 'POST', url: '/convert', payload: { notes: 'a'.repeat(1024 * 1024) } })
    assert.equal(larger.statusCode, 413)
  })
})
