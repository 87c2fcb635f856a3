import assert from 'node:assert/strict'
import fc from 'fast-check'
import { convertPence, formatPence } from '../src/money-text.ts'
import { scanDates } from '../src/text/dates.ts'
import { penceOf, scanMoney } from '../src/text/money.ts'
import { splitSentences } from '../src/text/sentences.ts'
import { tokenise } from '../src/text/tokens.ts'

function sums(text: string): (string | number | undefined)[][] {
  return scanMoney(tokenise(text))
    .filter(({ certainty }) => certainty !== 'faint')
    .map(({ start, end, pence, period }) => [text.slice(start, end), pence, period])
}

function dates(text: string): (string | undefined)[][] {
  return scanDates(tokenise(text)).map(({ start, end, iso }) => [text.slice(start, end), iso])
}

describe('sums of money', () => {
  const cases: [string, (string | number | undefined)[][]][] = [
    ['owes £1,240', [['£1,240', 124000, undefined]]],
    [
      '£3k and £1.25k',
      [
        ['£3k', 300000, undefined],
        ['£1.25k', 125000, undefined]
      ]
    ],
    [
      'rent £650pcm, food £62.50/wk',
      [
        ['£650', 65000, 'month'],
        ['£62.50', 6250, 'week']
      ]
    ],
    ['PIP £441.40 every four weeks', [['£441.40', 44140, '4-weeks']]],
    ['CB £102.40 4wkly', [['£102.40', 10240, '4-weeks']]],
    [
      '912 quid plus 50p',
      [
        ['912 quid', 91200, undefined],
        ['50p', 50, undefined]
      ]
    ],
    [
      'about 9 grand, a grand',
      [
        ['9 grand', 900000, undefined],
        ['a grand', 100000, undefined]
      ]
    ],
    ['two and a half grand', [['two and a half grand', 250000, undefined]]],
    ['fourteen hundred and twenty pounds a month', [['fourteen hundred and twenty pounds', 142000, 'month']]],
    ['five pounds and twenty pence', [['five pounds and twenty pence', 520, undefined]]],
    ['480 pm, not 3pm or 2.30pm', [['480', 48000, 'month']]],
    ['£1 240 altogether', [['£1 240', 124000, undefined]]],
    ['GBP 450', [['GBP 450', 45000, undefined]]]
  ]
  for (const [text, expected] of cases) it(`are read in “${text}”`, () => assert.deepEqual(sums(text), expected))

  it('are left unread where the figure is unclear, but found', () => {
    for (const text of ['£1,24', '£3-4k', '£12.345', '£2m', 'twelve fifty pounds', '£99999999999999']) {
      assert.deepEqual(sums(text), [[text, undefined, undefined]], text)
    }
  })

  it('are told from a minus sign right before them', () => {
    const signs = scanMoney(tokenise('surplus -£84 and Wages - £90 and £-5')).map(({ negative }) => negative)
    assert.deepEqual(signs, [true, false, true])
  })

  it('are whole pence, written and read without loss', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000_000 }), pence => {
        const written = formatPence(pence)
        assert.equal(penceOf(written.slice(1)), pence)
        assert.deepEqual(sums(written), [[written, pence, undefined]])
      })
    )
  })

  it('are converted with half a penny rounded away from nothing', () => {
    assert.equal(convertPence(4255, 52, 12), 18438)
    assert.equal(convertPence(1, 6, 12), 1)
    assert.equal(convertPence(-1, 6, 12), -1)
    assert.equal(convertPence(44140, 13, 12), 47818)
  })
})

describe('dates', () => {
  const cases: [string, (string | undefined)[][]][] = [
    ['on 12 February 2026', [['12 February 2026', '2026-02-12']]],
    ['Monday 2nd of Feb', [['Monday 2nd of Feb', undefined]]],
    [
      '17/02/26 and 2026-02-26',
      [
        ['17/02/26', '2026-02-17'],
        ['2026-02-26', '2026-02-26']
      ]
    ],
    ['21.01.2026 (office)', [['21.01.2026', '2026-01-21']]],
    ['bailiffs due 3/2', [['3/2', undefined]]],
    ['by 26.01 at £26.01', [['26.01', undefined]]],
    [
      'within 14 days, by the 13th',
      [
        ['within 14 days', undefined],
        ['13th', undefined]
      ]
    ],
    ['by the twentieth of March', [['twentieth of March', undefined]]],
    [
      'end of February or next Tuesday',
      [
        ['end of February', undefined],
        ['next Tuesday', undefined]
      ]
    ],
    ['24/7 and 2023/24', []],
    ['31/02/2026', []]
  ]
  for (const [text, expected] of cases) it(`are read in “${text}”`, () => assert.deepEqual(dates(text), expected))
})

describe('sentences', () => {
  function sentences(text: string): string[] {
    const tokens = tokenise(text)
    return splitSentences(tokens, 0, tokens.length).map(({ from, to }) =>
      text.slice(tokens[from]?.start, tokens[to - 1]?.end)
    )
  }

  it('don’t end at abbreviations, initials, decimals or leaders', () => {
    for (const text of [
      'Rent arr. 2 months @ £650',
      'Mr. G. Llewellyn owes £4.50',
      'Total ........ £12',
      'at 9 a.m. today'
    ])
      assert.deepEqual(sentences(text), [text])
  })

  it('end at full stops, semicolons and question marks', () => {
    assert.deepEqual(sentences('Owes £5. Pays £1; left? Yes.'), ['Owes £5.', 'Pays £1;', 'left?', 'Yes.'])
  })

  it('are cut where they never end', () => {
    assert.ok(sentences('word '.repeat(1000)).length > 5)
    assert.ok(sentences('£1 '.repeat(1000)).length > 5)
  })
})

describe('tokens', () => {
  it('point at where they stand, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), text => {
        let end = 0
        for (const token of tokenise(text)) {
          assert.equal(text.slice(token.start, token.end), token.text)
          assert.equal(text.slice(end, token.start).trim(), '')
          end = token.end
        }
        assert.equal(text.slice(end).trim(), '')
      })
    )
  })
})
