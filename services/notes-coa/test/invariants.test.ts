import assert from 'node:assert/strict'
import type { ServiceApp } from '@hedgerow/service-kit'
import fc from 'fast-check'
import type { Config } from '../src/config.ts'
import { convert, type Reply, shipped, startApp } from './support.ts'

const RUNS = 120

/** Pence with the words of a note for them; each way of writing is exact. */
const amount = fc.integer({ min: 1, max: 9_999_999 }).chain(pence => {
  const pounds = Math.floor(pence / 100)
  const rest = String(pence % 100).padStart(2, '0')
  const grouped = pounds.toLocaleString('en-GB')
  const forms = [`£${grouped}.${rest}`, `£${pounds}.${rest}`, `£ ${grouped}.${rest}`, `GBP ${pounds}.${rest}`]
  if (pence % 100 === 0) forms.push(`£${grouped}`, `£${pounds}`, `${pounds} pounds`, `${grouped} quid`)
  if (pence % 10_000 === 0) forms.push(`£${pounds / 1000}k`)
  return fc.constantFrom(...forms).map(written => ({ pence, written }))
})
const name = fc.constantFrom(
  'Barclaycard',
  'Lowell',
  'Zenobia Finance',
  'Leeds City Council',
  'Thames Water',
  'Mr Quibell',
  'Ottershaw Homes',
  'her sister',
  'Very',
  'Vantrell Ltd'
)
const topic = fc.constantFrom(
  'credit card',
  'overdraft',
  'council tax arrears',
  'rent arrears',
  'catalogue',
  'loan',
  'gas and electric',
  'zorb hire'
)
const bill = fc.constantFrom('rent', 'food', 'council tax', 'travel', 'piano lessons', 'phone', 'oat milk')
const per = fc.constantFrom('', ' a month', ' pw', 'pcm', ' every four weeks', '/wk')
const date = fc.constantFrom(
  '12 February 2026',
  '3/2',
  '17/02/26',
  'Friday',
  '2026-03-01',
  'the 13th',
  'end of March',
  'within 14 days'
)
const noise = fc.constantFrom(
  'She was upset.',
  'The line was poor.',
  'He is 46 and has 2 children.',
  'Ref 20417/B.',
  'Rang back at 2.30pm.',
  'See form N244.',
  '“I just want it to stop.”',
  '[x] (y) *z* | <b>',
  'Total: see above',
  'Options: DRO, DMP'
)

const line = fc.oneof(
  fc
    .record({ name, topic, amount })
    .map(({ name, topic, amount }) => ({ text: `- ${name} (${topic}): ${amount.written}`, sums: [amount] })),
  fc
    .record({ name, amount })
    .map(({ name, amount }) => ({ text: `She owes ${name} ${amount.written}.`, sums: [amount] })),
  fc.record({ name, topic, a: amount, b: amount }).map(({ name, topic, a, b }) => ({
    text: `There is ${a.written} on a ${topic}, ${b.written} to ${name}.`,
    sums: [a, b]
  })),
  fc
    .record({ a: bill, b: bill, x: amount, y: amount, per })
    .map(({ a, b, x, y, per }) => ({ text: `Spends ${x.written}${per} on ${a}, ${b} ${y.written}.`, sums: [x, y] })),
  fc
    .record({ amount, per })
    .map(({ amount, per }) => ({ text: `Income\nWages ${amount.written}${per}`, sums: [amount] })),
  fc.record({ amount }).map(({ amount }) => ({ text: `Total debts ${amount.written}`, sums: [amount] })),
  fc
    .record({ amount, date })
    .map(({ amount, date }) => ({ text: `She will pay ${amount.written} by ${date}.`, sums: [amount] })),
  fc.record({ name, topic, amount }).map(({ name, topic, amount }) => ({
    text: `| Creditor | Type | Balance |\n| ${name} | ${topic} | ${amount.written} |`,
    sums: [amount]
  })),
  fc
    .record({ amount, date })
    .map(({ amount, date }) => ({ text: `Deadline: ${date}, something about ${amount.written}`, sums: [amount] })),
  noise.map(text => ({ text, sums: [] }))
)
const notes = fc.array(line, { minLength: 1, maxLength: 14 }).map(lines => ({
  text: lines.map(({ text }) => text).join('\n'),
  sums: lines.flatMap(({ sums }) => sums)
}))

/** How a letter writes pence. Written apart from the service's own way. */
function inFigures(pence: number): string {
  const [whole = '', rest = ''] = (pence / 100).toFixed(2).split('.')
  return `£${Number(whole).toLocaleString('en-GB')}.${rest}`
}

function figures(text: string): number[] {
  return [...text.matchAll(/£\s?(\d[\d,]*(?:\.\d+)?)(k?)/g)].map(([, figure = '', k]) =>
    Math.round(Number(figure.replaceAll(',', '')) * (k === 'k' ? 100_000 : 100))
  )
}

function words(text: string): Set<string> {
  return new Set((text.match(/\p{L}[\p{L}\p{N}]*/gu) ?? []).map(word => word.toLowerCase()))
}

describe('whatever the notes say', function () {
  this.timeout(120_000)
  let app: ServiceApp
  let config: Config

  before(async () => {
    app = await startApp()
    config = (await shipped()).config
  })
  after(() => app.close())

  async function forAll(
    check: (reply: Reply, text: string, sums: readonly { pence: number; written: string }[]) => void
  ): Promise<void> {
    await fc.assert(
      fc.asyncProperty(notes, async ({ text, sums }) => check(await convert(app, { notes: text }), text, sums)),
      { numRuns: RUNS }
    )
  }

  it('no amount is lost', () =>
    forAll(({ letter }, _text, sums) => {
      const flat = letter.replace(/\s+/g, ' ')
      for (const { pence, written } of sums)
        assert.ok(flat.includes(inFigures(pence)) || flat.includes(written), written)
    }))

  it('no amount is invented', () =>
    forAll(({ letter, calculated }, text, sums) => {
      const known = new Set([
        ...sums.map(({ pence }) => pence),
        ...figures(text),
        ...calculated.map(({ value }) => Math.abs(value))
      ])
      for (const pence of figures(letter)) assert.ok(known.has(pence), String(pence))
    }))

  it('no name and no other word with a capital is invented, and no number', () =>
    forAll(({ letter, calculated }, text) => {
      const known = words(`${text} ${config.literals}`)
      for (const [word] of letter.matchAll(/\p{Lu}[\p{L}\p{N}]*/gu)) assert.ok(known.has(word.toLowerCase()), word)
      const sums = calculated.map(({ value }) => inFigures(Math.abs(value)))
      const digits = new Set(`${text} ${config.literals} ${sums.join(' ')}`.match(/\d+/g))
      for (const number of letter.replaceAll(',', '').match(/\d+/g) ?? []) {
        const grouped = Number(number).toLocaleString('en-GB').split(',')
        assert.ok(
          digits.has(number) ||
            number === '00' ||
            grouped.every(part => digits.has(part)) ||
            text.includes(number.replace(/000?$/, '')),
          number
        )
      }
    }))

  it('no date is invented', () =>
    forAll(({ letter }, text) => {
      for (const [found] of letter.matchAll(
        /\b\d{1,2}\/\d{1,2}(?:\/\d\d)?\b|\b\d{4}-\d\d-\d\d\b|\b\d{1,2} (?:February|March)\b/g
      ))
        assert.ok(text.includes(found), found)
    }))

  it('every fact stands where it says, and sums are sums of facts', () =>
    forAll(({ facts, calculated }, text) => {
      for (const { source } of facts) assert.equal(text.slice(source.start, source.end), source.text)
      const balances = new Map(
        facts.filter(({ field }) => field.endsWith('.balance')).map(({ field, value }) => [field, Number(value)])
      )
      const total = calculated.find(({ field }) => field === 'debts.total')
      if (total != null)
        assert.equal(
          [...balances.values()].reduce((sum, pence) => sum + pence, 0),
          total.value
        )
    }))

  it('every gap is in the letter, which stays a draft', () =>
    forAll(({ letter, missing, status }) => {
      assert.equal(status, 'draft')
      for (const prompt of missing) assert.ok(letter.includes(`[ADVISER TO COMPLETE: ${prompt}]`), prompt)
    }))

  it('each format holds the same amounts', async () => {
    await fc.assert(
      fc.asyncProperty(notes, async ({ text }) => {
        const plain = new Set(figures((await convert(app, { notes: text })).letter))
        const html = await convert(app, { notes: text, format: 'html' })
        const markdown = await convert(app, { notes: text, format: 'markdown' })
        assert.deepEqual(new Set(figures(html.letter)), plain)
        assert.deepEqual(new Set(figures(markdown.letter)), plain)
      }),
      { numRuns: 60 }
    )
  })

  it('any text at all that is not empty is answered with a letter', async () => {
    const anything = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc
        .array(
          fc.constantFrom(
            '£',
            '£1',
            ',',
            '.',
            '2',
            'k ',
            ' - ',
            ': ',
            '\n',
            '\t',
            '|',
            'Debts',
            'Total',
            'by ',
            '12/3',
            'March ',
            '“',
            '(',
            ')',
            'two hundred ',
            'pounds ',
            '*',
            '#',
            '<',
            '&',
            '\\',
            '[ADVISER TO COMPLETE: ',
            ']',
            '-£84',
            'Mr ',
            'May ',
            'Foo\u0000Bar',
            'Foo\u200bBar',
            '\u202e'
          ),
          { maxLength: 80 }
        )
        .map(parts => parts.join(''))
    )
    // Nothing but white space is refused as empty.
    const something = anything.filter(text => text.trim() !== '')
    await fc.assert(
      fc.asyncProperty(something, fc.constantFrom('text', 'markdown', 'html'), async (text, format) => {
        const { facts } = await convert(app, { notes: text, format })
        for (const { source } of facts) assert.equal(text.slice(source.start, source.end), source.text)
      }),
      { numRuns: 300 }
    )
  })
})
