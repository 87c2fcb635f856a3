import assert from 'node:assert/strict'
import { ServiceError } from '@hedgerow/service-kit'
import { type Checked, type CheckRule, checkLetter, findViolations } from '../src/check.ts'
import { Converter } from '../src/convert.ts'
import { readCase } from '../src/extract/case.ts'
import { shipped } from './support.ts'

const NOTES =
  'Client: Ann Lee\nDebts:\n- Very (catalogue): £100\n- Klarna: £50.50\nIncome\nWages £90 pw\nDeadline: court on 3 March 2026. She will pay £7.25.'

describe('the self-check of a letter', () => {
  let good: Checked

  before(async () => {
    const { config, lexicon } = await shipped()
    const { letter, format, facts, calculated, gaps } = await new Converter(config).convert(NOTES, {}, 'text')
    good = {
      notes: NOTES,
      found: readCase(lexicon, NOTES),
      people: {},
      config,
      lexicon,
      letter,
      format,
      facts,
      calculated,
      gaps
    }
  })

  const rules = (change: Partial<Checked>): CheckRule[] => [...new Set(findViolations({ ...good, ...change }))]
  const edited = (from: string, to: string): CheckRule[] => {
    assert.ok(good.letter.includes(from), from)
    return rules({ letter: good.letter.replaceAll(from, to) })
  }

  it('passes what the service makes', () => assert.deepEqual(rules({}), []))

  it('sees an amount that is gone', () => assert.deepEqual(edited('£50.50', ''), ['AmountLost']))

  it('sees an amount that was changed', () =>
    assert.deepEqual(edited('£100.00', '£1,000.00'), ['AmountLost', 'AmountInvented', 'NumberInvented']))

  it('sees an amount that was added', () =>
    assert.deepEqual(rules({ letter: `${good.letter}\nand £12.34` }), ['AmountInvented', 'NumberInvented']))

  it('takes no age or count of the notes for an amount', async () => {
    const { config, lexicon } = await shipped()
    const notes = 'Client: Ann Lee\nShe is 46.\nDebts:\n- Very: 1250'
    const { letter, format, facts, calculated, gaps } = await new Converter(config).convert(notes, {}, 'text')
    const checked = {
      notes,
      found: readCase(lexicon, notes),
      people: {},
      config,
      lexicon,
      letter,
      format,
      facts,
      calculated,
      gaps
    }
    assert.ok(letter.includes('£1,250.00'))
    assert.deepEqual(findViolations(checked), [])
    assert.deepEqual(findViolations({ ...checked, letter: `${letter}\n£46` }), ['AmountInvented'])
  })

  it('sees a date that nobody gave', () => {
    assert.ok(edited('3 March 2026', '4 March 2026').includes('DateInvented'))
    assert.ok(rules({ letter: `${good.letter}\nby 3 April 2026` }).includes('DateInvented'))
  })

  it('sees a name that nobody gave', () => {
    assert.deepEqual(edited('Klarna', 'Clearance'), ['NameInvented'])
    assert.deepEqual(rules({ letter: `${good.letter}\nDear Bartholomew` }), ['NameInvented'])
  })

  it('sees them in Markdown and HTML too', async () => {
    const converter = new Converter(good.config)
    for (const format of ['markdown', 'html'] as const) {
      const { letter } = await converter.convert(NOTES, {}, format)
      assert.deepEqual(rules({ letter, format }), [])
      assert.deepEqual(rules({ letter: letter.replaceAll('£50.50', '£5,050'), format }), [
        'AmountLost',
        'AmountInvented',
        'NumberInvented'
      ])
    }
  })

  it('takes what the request gives', () => {
    const letter = `${good.letter}\nBartholomew, 5 April 2026, £12.34`
    assert.deepEqual(
      rules({ letter, people: { client: { name: 'Bartholomew' }, date: '5 April 2026', adviser: { role: '£12.34' } } }),
      []
    )
  })

  it('sees a fact that its source doesn’t bear out', () => {
    const [first, ...rest] = good.facts
    assert.ok(first != null)
    const balance = good.facts.find(({ field }) => field === 'debts[0].balance')
    assert.ok(balance != null)
    for (const wrong of [
      { ...first, source: { ...first.source, start: first.source.start + 1 } },
      { ...first, value: 'Somebody Else' },
      { ...balance, value: 10001 },
      { ...balance, field: 'debts[0].kind', value: 'mortgage' }
    ])
      assert.deepEqual(
        rules({ facts: [wrong, ...rest] }).filter(rule => rule === 'FactWithoutSource'),
        ['FactWithoutSource']
      )
  })

  it('works every sum out again', () => {
    for (const sum of good.calculated.filter(({ how }) => !how.startsWith('stated'))) {
      const calculated = good.calculated.map(other => (other === sum ? { ...sum, value: sum.value + 1 } : other))
      assert.ok(rules({ calculated }).includes('CalculationWrong'), sum.field)
    }
  })

  it('sees a gap that isn’t shown', () => assert.ok(edited('[ADVISER TO COMPLETE: ', '[').includes('GapHidden')))

  it('answers 500 with a code, and none of the contents', () => {
    assert.throws(
      () => checkLetter({ ...good, letter: '' }),
      (err: unknown) => {
        assert.ok(err instanceof ServiceError)
        assert.equal(err.status, 500)
        assert.equal(err.code, 'LetterCheckFailed')
        assert.doesNotMatch(JSON.stringify(err.extensions) + err.message, /Ann|Klarna|50/)
        return true
      }
    )
  })
})
