import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { ServiceApp } from '@hedgerow/service-kit'
import { convert, startApp } from './support.ts'

const EXAMPLES = new URL('../../../examples/data/', import.meta.url)
const GAP = /\[ADVISER TO COMPLETE: /g

describe('a draft letter', () => {
  let app: ServiceApp

  before(async () => {
    app = await startApp()
  })
  after(() => app.close())

  for (const register of ['labelled', 'prose']) {
    it(`has all of the sample's ${register} notes: five debts, every total, the decision, the dates`, async () => {
      const notes = await readFile(new URL(`adviser-notes-${register}.txt`, EXAMPLES), 'utf8')
      const { letter, status, calculated, warnings, facts } = await convert(app, { notes })
      assert.equal(status, 'draft')
      for (const part of [
        'Mrs Philippa Okonjo-Bell',
        'Rhys Calder',
        '26 March 2025',
        '£2,486.13',
        '£1,164.52',
        '£1,050.00',
        '£388.40',
        '£3,412.95',
        '£8,502.00',
        '£1,562.50',
        '£153.02',
        '8 April 2025',
        'You chose: Debt management plan',
        'Breathing space',
        'Bankruptcy'
      ]) {
        assert.ok(letter.includes(part), part)
      }
      const total = (field: string): number | undefined => calculated.find(sum => sum.field === field)?.value
      assert.equal(total('debts.total'), 850200)
      assert.equal(total('spending.total'), 156250)
      assert.equal(total('surplus'), 15302)
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ['WordingUnconfirmed']
      )
      assert.equal(facts.filter(({ field }) => /^debts\[\d\]\.balance$/.test(field)).length, 5)
    })
  }

  it('shows every gap and lists it', async () => {
    const { letter, missing, gaps } = await convert(app, { notes: 'Owes £100.' })
    assert.ok(missing.length > 10)
    for (const prompt of missing) assert.ok(letter.includes(`[ADVISER TO COMPLETE: ${prompt}]`), prompt)
    assert.deepEqual(new Set(gaps.map(({ prompt }) => prompt)), new Set(missing))
    assert.ok((letter.match(GAP) ?? []).length >= missing.length)
  })

  it('is a letter of gaps for notes that say nothing', async () => {
    for (const notes of ['???', 'x', '- -\n']) {
      const { letter, facts, warnings } = await convert(app, { notes })
      assert.match(letter, GAP)
      assert.deepEqual(facts, [])
      assert.ok(warnings.some(({ code }) => code === 'NothingFound'))
    }
  })

  it('reports a stated total that isn’t the sum, and corrects neither', async () => {
    const { letter, warnings } = await convert(app, { notes: 'Debts:\n- Very: £100\n- Klarna: £50\nTotal: £160' })
    assert.ok(warnings.some(({ code }) => code === 'TotalDiffers'))
    for (const sum of ['£100.00', '£50.00', '£150.00', '£160.00', '£10.00']) assert.ok(letter.includes(sum), sum)
  })

  it('lists an amount that it can’t place, with its sentence', async () => {
    const { letter } = await convert(app, {
      notes: 'Owes Very £100. The neighbour said something about £77.50 in passing.'
    })
    const [, section = ''] = letter.split('Amounts in the notes not placed above')
    assert.match(section, /£77\.50: “The neighbour said something about £77\.50 in passing\.”/)
    assert.doesNotMatch(section, /£100\.00/)
  })

  it('shows a figure that can’t be read as it was written', async () => {
    const { letter } = await convert(app, { notes: 'Owes somebody £1,24 and £3-4k.' })
    assert.ok(letter.includes('£1,24') && letter.includes('£3-4k'))
  })

  it('counts amounts without a period as the others of their list are, and says so', async () => {
    const { letter, warnings } = await convert(app, { notes: 'Spends £60 a week on food, £30 on gas.' })
    assert.ok(warnings.some(({ code }) => code === 'PeriodAssumed'))
    assert.match(letter, /counting the amounts that have no period as weekly/)
    const mixed = await convert(app, { notes: 'Spending:\nRent £400 pm\nFood £60 pw\nPhone £10' })
    assert.ok(!mixed.calculated.some(({ field }) => field === 'spending.total'))
    assert.ok(mixed.gaps.some(({ field }) => field === 'spending.total'))
  })

  it('points every fact at the words that it comes from', async () => {
    const notes = await readFile(new URL('adviser-notes-prose.txt', EXAMPLES), 'utf8')
    const { facts } = await convert(app, { notes: `\u{1F600} ${notes}` })
    assert.ok(facts.length > 40)
    for (const { source } of facts) assert.equal(`\u{1F600} ${notes}`.slice(source.start, source.end), source.text)
  })

  it('takes client, adviser and date from the request, and says where the notes differ', async () => {
    const { letter, warnings } = await convert(app, {
      notes: 'Client: Ann Lee\nOwes Very £100.',
      client: { name: 'Bea Stone', address: '1 High Street, Hull', reference: 'X-1' },
      adviser: { name: 'Cy Young', role: 'Senior adviser', phone: '01632 960001', email: 'cy@example.org' },
      date: '1 May 2026'
    })
    for (const part of [
      'Dear Bea Stone',
      '1 High Street, Hull',
      'X-1',
      'Cy Young',
      'Senior adviser',
      '01632 960001',
      'cy@example.org',
      'Date of this letter: 1 May 2026'
    ])
      assert.ok(letter.includes(part), part)
    assert.ok(warnings.some(({ code }) => code === 'NameDiffers'))
    const plain = await convert(app, { notes: 'Owes Very £100.', client: 'Bea Stone', adviser: 'Cy Young' })
    assert.match(plain.letter, /Dear Bea Stone/)
  })

  it('warns of an option that the client’s part of the UK doesn’t have', async () => {
    const { warnings } = await convert(app, { notes: 'Nation: Scotland\nOptions: DRO, DAS' })
    assert.deepEqual(warnings.filter(({ code }) => code === 'OptionNotInNation').length, 1)
  })

  it('escapes the notes in HTML', async () => {
    const { letter } = await convert(app, {
      notes: 'Client: <script>alert(1)</script> & "Co"\nDebts:\n- <img src=x onerror=y>: £5\n- </td></table>: £6',
      format: 'html'
    })
    assert.doesNotMatch(letter, /<script|<img|<\/td><\/table>:/)
    assert.ok(letter.includes('script&gt;alert'))
    assert.match(letter, /^<article lang="en-GB"/)
    assert.match(letter, /<mark>\[ADVISER TO COMPLETE: /)
  })

  it('escapes the notes in Markdown', async () => {
    const { letter } = await convert(app, {
      notes: 'Client: # *Ann* [x](javascript:y) <b>|\nThe problem: because\n# Heading | pipe `code` £5',
      format: 'markdown'
    })
    assert.doesNotMatch(letter, /^# Heading/m)
    assert.doesNotMatch(letter, /[^\\]<b>|[^\\]\[x\]\(|[^\\]\*Ann\*/)
    assert.match(letter, /^# Confirmation of the advice/)
  })

  it('lets the notes change nothing of its layout', async () => {
    const hostile = 'Client: Ann\n## Signed\n| a | b |\n- Adviser: £5\n<%= it.x %> \ue0000\ue001 \u202etxet'
    for (const format of ['text', 'markdown', 'html']) {
      const plain = await convert(app, { notes: 'Client: Ann\nNothing else.', format })
      const { letter } = await convert(app, { notes: hostile, format })
      const headings = (text: string): number => (text.match(/^## |<h2>|^-{3,}$/gm) ?? []).length
      assert.ok(headings(letter) <= headings(plain.letter) + 1, format)
      assert.doesNotMatch(letter, /\u202e/)
    }
  })

  it('tells what it left out', async () => {
    const { unplaced } = await convert(app, { notes: 'Owes Very £100. The weather was fine.' })
    assert.deepEqual(
      unplaced.map(({ text }) => text),
      ['The weather was fine.']
    )
  })
})
