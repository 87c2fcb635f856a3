import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ENTITY_TYPES } from '../src/entity.ts'
import { Extractor } from '../src/extract.ts'
import { labelledTexts } from './evaluation.ts'
import { extractor } from './shared.ts'

const fragments = labelledTexts('dev').flatMap(({ text }) => text.match(/\S+\s*/g) ?? [])

/** Arbitrary Unicode, lone surrogates too, mixed with pieces of real texts so that the rules have something to find. */
const anyText = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...fragments) },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
      {
        weight: 1,
        arbitrary: fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })).map(codes => String.fromCharCode(...codes))
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '\u0301',
          '\u200d',
          'İ',
          'ﬁ',
          'ß',
          '£',
          '😀',
          '\r\n',
          '\u00a0',
          "'",
          '’s ',
          '\u2028',
          '١٢٣'
        )
      }
    ),
    { maxLength: 60 }
  )
  .map(parts => parts.join(''))

function holdsTogether(text: string): void {
  let last = 0
  for (const { type, text: own, start, end, confidence } of extractor.extract(text)) {
    assert.equal(text.slice(start, end), own)
    assert.ok(ENTITY_TYPES.includes(type))
    assert.ok(start >= last && end > start && end <= text.length)
    assert.ok(confidence >= 0 && confidence <= 1)
    last = end
  }
}

describe('whatever the text', () => {
  it('every entity is the slice that it says, none overlaps another, and they come in order', () => {
    fc.assert(fc.property(anyText, holdsTogether), { numRuns: 600 })
  })

  it('so it is across the seams of a long text', () => {
    const long = fc
      .array(anyText, { minLength: 1, maxLength: 4 })
      .map(parts => parts.join(' ').repeat(40).slice(0, 60_000))
    fc.assert(fc.property(long, holdsTogether), { numRuns: 12 })
  }).timeout(60_000)

  it('the same text gives the same entities', () => {
    const other = new Extractor()
    fc.assert(
      fc.property(anyText, text => {
        assert.deepEqual(extractor.extract(text), other.extract(text))
      }),
      { numRuns: 50 }
    )
  })
})

/** what the rules' patterns begin with and could be made to try over and over */
const HOSTILE = [
  'a',
  'A',
  '1',
  '1 ',
  '1,',
  '1.',
  '1-',
  '£',
  '£1,',
  'O',
  'l',
  '0 ',
  '+1 ',
  'a@',
  'a.',
  "a'",
  'Aa-',
  'A ',
  'Aa ',
  'Mr ',
  'John Smith ',
  'Council ',
  'County Court ',
  'and ',
  'ref: ',
  'account no ',
  'AB1',
  'SW1A ',
  '1 May ',
  'two hundred and ',
  'Flat 1, ',
  'Leeds\n',
  'Lowell, ',
  '((',
  '|',
  'http://',
  '4111 1111 1111 1111 ',
  'London Borough of ',
  'de la ',
  '\u0301',
  '\ud83d',
  '\n',
  ' ',
  'Qqx said '
]

/** processor time in milliseconds, which other load on the machine doesn't lengthen */
function cost(text: string): number {
  const before = process.cpuUsage()
  extractor.extract(text)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const repeat = (unit: string, length: number): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)

describe('hostile texts', () => {
  for (const unit of HOSTILE) {
    it(`cost no more for each letter when there are eight times as many of ${JSON.stringify(unit)}`, () => {
      const small = Math.min(...[1, 2, 3].map(() => cost(repeat(unit, 16_384))))
      const large = cost(repeat(unit, 131_072))
      assert.ok(large < Math.max(small, 10) * 8 * 3, `${small.toFixed(0)} ms and ${large.toFixed(0)} ms`)
    })
  }

  it('of a megabyte are read in bounded time', () => {
    for (const unit of ['County Court ', '1', "Aa'", 'two hundred and '])
      assert.ok(cost(repeat(unit, 1_000_000)) < 20_000, unit)
  }).timeout(120_000)

  it('leave room for other work: no stretch of them takes long', () => {
    for (const unit of ['County Court ', 'John Smith ', '1 ', '£1,', 'Leeds\n']) {
      const segments = extractor.segments(repeat(unit, 100_000))
      for (;;) {
        const before = process.cpuUsage()
        if (segments.next().done) break
        assert.ok(process.cpuUsage(before).user / 1000 < 1000, unit)
      }
    }
  })
})
