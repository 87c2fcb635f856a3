import type { Task } from './index.ts'

const LETTER = `Northgate Recoveries Limited
Tannery House, 27 Fellmongers Row, Leeds LS99 4QT
Telephone: 0113 496 0172

Dear Mrs Okonjo-Bell,

Kestrel Home Shopping Limited sold your catalogue account to us on 9 September 2024. Your last payment, of £40.00, was received on 2 August 2024. The outstanding balance is £2,486.13.

Unless you pay in full, or contact us with an offer of payment, by 8 April 2025, we will recommend that a claim is issued in the County Court. Please quote our reference NRL/7730284/PB.

Denise Harcastle, Customer Accounts Manager`

export const names: Task = {
  service: 'ner-extraction',
  title: 'Find names, amounts and dates',
  blurb: 'Marks people, creditors, sums, dates and references in a text.',
  icon: 'names',
  verb: 'Find them',
  operation: 'POST /extract',
  main: ['text'],
  hidden: ['content'],
  labels: {
    text: 'Text to look through',
    types: 'Look only for',
    min_confidence: 'Leave out what is less sure (0 to 1)'
  },
  answer: 'entities',
  examples: [
    { label: 'A creditor’s letter', values: { text: LETTER } },
    {
      label: 'An adviser’s note',
      values: {
        text: 'Cl Ann Lee, 14 Mill Lane, York YO1 7EP, tel 07700 900142. Owes Barclaycard £1,240.50 and council tax £650 to Leeds City Council. Hearing on 3 March 2026. NI QQ 12 34 56 C.'
      }
    }
  ]
}
