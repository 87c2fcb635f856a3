import type { Task } from './index.ts'

const NOTES = `Client: Mrs Philippa Okonjo-Bell
Adviser: Rhys Calder
Date: 26 March 2025
Channel: face to face
Nation: England
Reference: HGT-20417

Problem: "I can't keep up with all of them and I'm frightened of the letters."

Debts:
- Northgate Recoveries Limited (catalogue, was Kestrel Home Shopping): £2,486.13 - non-priority
- North Yorkshire Council (council tax arrears): £1,164.52 - priority - liability order
- Nationwide (overdraft): £1,050.00 - non-priority
Total debts: £4,700.65

Income (monthly):
- Part-time wages: £1,284.60
- Child Benefit: £112.67

Spending (monthly):
- Rent: £650.00
- Food and household: £395.00

Options: debt management plan, debt relief order
Decision: debt management plan`

export const letter: Task = {
  service: 'notes-coa',
  title: 'Draft a letter',
  blurb: 'From an adviser’s notes to a draft confirmation of advice.',
  icon: 'letter',
  verb: 'Draft the letter',
  operation: 'POST /convert',
  main: ['notes'],
  hidden: ['text', 'format'],
  fixed: { format: 'html' },
  labels: {
    notes: 'Adviser’s notes',
    client: 'Client’s name',
    adviser: 'Adviser’s name',
    date: 'Date of the letter',
    rephrase: 'Let a language model reword quotations'
  },
  answer: 'letter',
  examples: [{ label: 'Notes of an advice session', values: { notes: NOTES } }]
}
