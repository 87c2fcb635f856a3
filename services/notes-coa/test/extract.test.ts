import assert from 'node:assert/strict'
import { readCase } from '../src/extract/case.ts'
import { listFacts } from '../src/extract/facts.ts'
import { owed } from '../src/letter/debt-view.ts'
import type { Lexicon } from '../src/lexicon.ts'
import { shipped } from './support.ts'

describe('what the extractor reads', () => {
  let lexicon: Lexicon

  before(async () => {
    lexicon = (await shipped()).lexicon
  })

  const debts = (notes: string): unknown[] =>
    readCase(lexicon, notes).debts.map(debt => [debt.creditor?.value, debt.kind?.value, owed(debt)])
  const facts = (notes: string): Map<string, unknown> =>
    new Map(listFacts(readCase(lexicon, notes)).map(({ field, value }) => [field, value]))

  const cases: [string, unknown[]][] = [
    ['CT arrears £1,240', [[undefined, 'council_tax', 124000]]],
    ['cc w/ Barclaycard £3k', [['Barclaycard', 'credit_card', 300000]]],
    ['rent arr. 2 months @ £650', [[undefined, 'rent', 130000]]],
    ['She is £640 behind with British Gas.', [['British Gas', 'energy', 64000]]],
    [
      'Barclaycard (£3,000), Capital One (£1,200) and Vanquis (£850).',
      [
        ['Barclaycard', 'credit_card', 300000],
        ['Capital One', 'credit_card', 120000],
        ['Vanquis', 'credit_card', 85000]
      ]
    ],
    [
      'Owes £480 to British Gas, £1,900 to Thames Water.',
      [
        ['British Gas', 'energy', 48000],
        ['Thames Water', 'water', 190000]
      ]
    ],
    ['Lowell (was Vodafone) £312', [['Lowell', 'mobile', 31200]]],
    ['HSBC loan now £9,870 (was £10,200).', [['HSBC', 'loan', 987000]]],
    [
      'He borrowed £2,000 from Everyday Loans in 2024 and still owes £1,430 of it.',
      [['Everyday Loans', 'loan', 143000]]
    ],
    ['Debts:\n- Some Unheard Of Firm: £99.10', [['Some Unheard Of Firm', undefined, 9910]]],
    ['Creditor: Halifax\nType: Credit card\nBalance: £4,015.22\nPriority: No', [['Halifax', 'credit_card', 401522]]],
    [
      '| Owed to | What for | How much |\n|---|---|---|\n| Lantern | Phone | £187 |\n| **Total** | | £187 |',
      [['Lantern', 'mobile', 18700]]
    ],
    [
      'Creditor,Type,Balance\nLloyds,Credit card,"£4,404.00"\nUtilita,Electricity,£144.00',
      [
        ['Lloyds', 'credit_card', 440400],
        ['Utilita', 'energy', 14400]
      ]
    ]
  ]
  for (const [notes, expected] of cases)
    it(`finds the debts of “${notes.split('\n')[0]}”`, () => assert.deepEqual(debts(notes), expected))

  it('takes no worth, fee, limit, payment or income for a debt', () => {
    for (const notes of [
      'The car is worth £3,500.',
      'Bankruptcy costs £680.',
      'IVA (equity approx £18k)',
      'Pays £50 a month to Lowell.',
      'Wages £1,450 pm',
      'DRO limit of £50,000'
    ]) {
      assert.deepEqual(debts(notes), [], notes)
    }
  })

  it('goes by what the notes say of a priority, and by the heading above', () => {
    const found = facts(
      'Priority debts\nVery, catalogue, £100\nNon-priority debts\nCouncil tax, Leeds City Council, £200 (priority)'
    )
    assert.equal(found.get('debts[0].priority'), true)
    assert.equal(found.get('debts[1].priority'), true)
  })

  it('tells bills from debts of the same name', () => {
    const found = readCase(
      lexicon,
      'Rent is £650 pcm and she is £1,300 behind with the rent. Council tax arrears £400; council tax £120 a month.'
    )
    assert.deepEqual(found.debts.map(owed), [130000, 40000])
    assert.deepEqual(
      found.budget.spending.map(({ amount }) => amount.value),
      [65000, 12000]
    )
  })

  it('gives a line the period of its heading, of its own words, or none', () => {
    const found = facts('Income (monthly):\n- UC: £745\n- Wages: £90 pw\nSpending\n- Food: £60')
    assert.equal(found.get('income[0].period'), 'month')
    assert.equal(found.get('income[1].period'), 'week')
    assert.equal(found.has('spending[0].period'), false)
  })

  it('knows a total by its words, and by arithmetic', () => {
    assert.equal(facts('Debts:\nVery £100\nKlarna £50\nTotal: £160').get('stated[0].debts'), 16000)
    assert.equal(facts('Owes Very £100 and Klarna £50. That makes £150.').get('stated[0].debts'), 15000)
    assert.equal(facts('She has a deficit of £84 a month.').get('stated[0].surplus'), -8400)
  })

  it('finds the option chosen, and sees when none is', () => {
    const decision = (notes: string): unknown[] => {
      const found = facts(notes)
      return [found.get('decision.option'), found.get('decision.status')]
    }
    assert.deepEqual(decision('We discussed a DMP and an IVA. She ruled out an IVA. She chose the DMP.'), [
      'dmp',
      'agreed'
    ])
    assert.deepEqual(decision('Needs the van so not bankruptcy. He would rather do an IVA than a DMP.'), [
      'iva',
      'agreed'
    ])
    assert.deepEqual(decision('Options: DRO, DMP\nDecision: undecided'), [undefined, 'undecided'])
    assert.deepEqual(decision('Explained DRO and DMP. She wants to think about it.'), [undefined, 'undecided'])
    assert.deepEqual(decision('Nothing was discussed.'), [undefined, undefined])
  })

  it('keeps who does what by when, and leaves the day of the talk and the past out of the deadlines', () => {
    const { tasks, deadlines } = readCase(
      lexicon,
      'Saw Mrs Hill on 9 February 2026. Letter dated 2 January 2026. She will bring payslips by 20 February. I will ring the council this week. Bailiffs may call from 1 March.'
    )
    assert.deepEqual(
      tasks.map(({ who, when }) => [who, when?.value]),
      [
        ['client', '20 February'],
        ['adviser', 'this week']
      ]
    )
    assert.deepEqual(
      deadlines.flatMap(({ whens }) => whens.map(({ value }) => value)),
      ['20 February', 'this week', '1 March']
    )
  })

  it('quotes details of health only where the notes record consent', () => {
    const without = readCase(lexicon, 'She has had depression since March. Owes Very £100.')
    assert.deepEqual(without.passages.circumstances, [])
    const refused = readCase(lexicon, 'She has had depression since March. No consent to record health.')
    assert.deepEqual(refused.passages.circumstances, [])
    const given = readCase(lexicon, 'She has had depression since March. She gave consent for us to record it.')
    assert.equal(given.passages.circumstances.length, 1)
  })

  it('gives the same case for the same notes', () => {
    const notes = 'Owes £480 to British Gas, £1,900 to Thames Water. She chose a DRO.'
    assert.deepEqual(listFacts(readCase(lexicon, notes)), listFacts(readCase(lexicon, notes)))
  })
})
