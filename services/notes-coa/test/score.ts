import { readFileSync } from 'node:fs'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import type { Config } from '../src/config.ts'
import { type Case, readCase } from '../src/extract/case.ts'
import { owed } from '../src/letter/debt-view.ts'
import type { Lexicon } from '../src/lexicon.ts'
import type { Said } from '../src/types.ts'

const Unknown = Type.Union([Type.String(), Type.Null()])
const Line = Type.Object({ what: Type.String(), amount: Type.Integer(), per: Unknown })
const Labelled = Type.Array(
  Type.Object({
    id: Type.String(),
    notes: Type.String(),
    gold: Type.Object({
      client: Type.Optional(Type.String()),
      adviser: Type.Optional(Type.String()),
      date: Type.Optional(Type.String()),
      debts: Type.Array(
        Type.Object({
          creditor: Unknown,
          balance: Type.Union([Type.Integer(), Type.Null()]),
          priority: Type.Optional(Type.Boolean())
        })
      ),
      income: Type.Array(Line),
      spending: Type.Array(Line),
      stated: Type.Record(Type.String(), Type.Integer()),
      decision: Type.Object({ option: Unknown, status: Unknown }),
      deadlines: Type.Array(Type.String())
    })
  })
)
export type LabelledNote = Type.Static<typeof Labelled>[number]

export function loadNotes(name: string): LabelledNote[] {
  return Value.Parse(Labelled, parse(readFileSync(new URL(`./data/${name}.yaml`, import.meta.url), 'utf8')))
}

export interface Count {
  right: number
  /** found, and wrong */
  wrong: number
  /** in the gold, and not found */
  missed: number
}

/** Per field, over any number of notes. */
export type Score = Map<string, Count>

export function precision({ right, wrong }: Count): number {
  return right + wrong === 0 ? 1 : right / (right + wrong)
}

export function recall({ right, missed }: Count): number {
  return right + missed === 0 ? 1 : right / (right + missed)
}

function words(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9 ]+/g, ' ')
    .split(/\s+/)
    .filter(word => word !== '' && !['ltd', 'limited', 'the', 's'].includes(word))
}

/** The same name, one perhaps longer than the other. */
function sameName(a: string | null, b: string | null): boolean {
  if (a == null || b == null) return a === b
  const [first, second] = [words(a), words(b)]
  return first.every(word => second.includes(word)) || second.every(word => first.includes(word))
}

class Scorer {
  readonly score: Score = new Map()
  readonly faults: string[] = []
  readonly #notes: string

  constructor(notes: string) {
    this.#notes = notes
  }

  add(field: string, right: number, wrong: number, missed: number): void {
    const count = this.score.get(field) ?? { right: 0, wrong: 0, missed: 0 }
    this.score.set(field, { right: count.right + right, wrong: count.wrong + wrong, missed: count.missed + missed })
  }

  /** Pairs what was found with the gold, each at most once; gives the pairs. */
  match<F, G>(field: string, found: readonly F[], gold: readonly G[], same: (found: F, gold: G) => boolean): [F, G][] {
    const rest = [...found]
    const pairs: [F, G][] = []
    for (const expected of gold) {
      const at = rest.findIndex(item => same(item, expected))
      const item = rest[at]
      if (item === undefined) {
        this.faults.push(`${field}: missed ${JSON.stringify(expected)}`)
        continue
      }
      rest.splice(at, 1)
      pairs.push([item, expected])
    }
    for (const item of rest) this.faults.push(`${field}: wrong ${JSON.stringify(item)}`)
    this.add(field, pairs.length, rest.length, gold.length - pairs.length)
    return pairs
  }

  written({ span }: Said<string>): string {
    return this.#notes.slice(span.start, span.end)
  }
}

/** Holds what the extractor finds in a note against its gold. */
export function scoreNote(
  { notes, gold }: LabelledNote,
  lexicon: Lexicon,
  config: Config
): { score: Score; faults: string[] } {
  const found = readCase(lexicon, notes)
  const scorer = new Scorer(notes)
  scoreDebts(scorer, found, gold, config)
  for (const list of ['income', 'spending'] as const) {
    scorer.match(list, found.budget[list], gold[list], ({ label, amount, period }, line) => {
      const named = words(label.value)
      return (
        amount.value === line.amount &&
        (period?.value ?? null) === line.per &&
        words(line.what).some(word => named.includes(word))
      )
    })
  }
  scorer.match(
    'stated totals',
    // of several totals of debts, the largest is the whole; the others are parts of it
    found.budget.stated
      .map(({ about, amount }) => ({ about, value: amount.value }))
      .filter(
        ({ about, value }, _i, all) =>
          about !== 'debts' || all.every(other => other.about !== 'debts' || other.value <= value)
      ),
    Object.entries(gold.stated).map(([about, value]) => ({ about, value })),
    (a, b) => a.about === b.about && a.value === b.value
  )
  for (const party of ['client', 'adviser', 'date'] as const) {
    const said = found.parties[party]
    const expected = gold[party]
    scorer.match(party, said == null ? [] : [said.value], expected == null ? [] : [expected], sameName)
  }
  scoreDecision(scorer, found, gold)
  scorer.match(
    'deadlines',
    found.deadlines.flatMap(({ whens }) => whens.map(({ value }) => words(value).join(' '))),
    gold.deadlines.map(when => words(when).join(' ')),
    (a, b) => a.includes(b) || b.includes(a)
  )
  return { score: scorer.score, faults: scorer.faults }
}

function scoreDebts(scorer: Scorer, found: Case, gold: LabelledNote['gold'], { letter }: Config): void {
  const debts = found.debts.map(debt => ({
    creditor: debt.creditor?.value ?? null,
    written: debt.creditor == null ? null : scorer.written(debt.creditor),
    balance: owed(debt) ?? null,
    priority:
      debt.priority?.value ?? (debt.kind == null ? null : (letter.debt_kinds[debt.kind.value]?.priority ?? null))
  }))
  const pairs = scorer.match(
    'debts',
    debts,
    gold.debts,
    (debt, { creditor, balance }) =>
      debt.balance === balance && (sameName(debt.creditor, creditor) || sameName(debt.written, creditor))
  )
  for (const [{ priority, creditor }, expected] of pairs) {
    if (expected.priority == null) continue
    const right = priority === expected.priority
    scorer.add('priority', right ? 1 : 0, right || priority == null ? 0 : 1, right ? 0 : 1)
    if (!right) scorer.faults.push(`priority: ${creditor} ${priority}`)
  }
  const sum = (list: readonly { balance: number | null }[]): number =>
    list.reduce((total, { balance }) => total + (balance ?? 0), 0)
  const whole = sum(debts) === sum(gold.debts)
  scorer.add('total of debts', whole ? 1 : 0, whole ? 0 : 1, whole ? 0 : 1)
}

function scoreDecision(
  scorer: Scorer,
  { decision }: Case,
  { decision: { option, status } }: LabelledNote['gold']
): void {
  const found =
    decision == null
      ? []
      : [decision.status.value === 'undecided' ? 'undecided' : (decision.option?.value ?? 'unknown')]
  const gold = status == null ? [] : [status === 'undecided' ? 'undecided' : (option ?? 'unknown')]
  scorer.match('decision', found, gold, (a, b) => a === b)
}

export function addScores(scores: readonly Score[]): Score {
  const sum: Score = new Map()
  for (const score of scores) {
    for (const [field, { right, wrong, missed }] of score) {
      const count = sum.get(field) ?? { right: 0, wrong: 0, missed: 0 }
      sum.set(field, { right: count.right + right, wrong: count.wrong + wrong, missed: count.missed + missed })
    }
  }
  return sum
}
