import type { Mode } from './cues.ts'
import type { Role, Sum } from './roles.ts'

// Weights of what speaks for a debt, an income or a bill. Only their proportions matter; they were set on the
// development notes.
const THRESHOLD = 1.9
/** What a heading or label says outweighs most of what a line says. */
const HEADING = 6.5
/** A label further up in running text. */
const COLOUR = 1
/** The verb before the sum: owes, gets, spends. */
const VERB = 2
/** What the sentence before spoke of; what the line before in a list was. */
const INHERITED = 1.2
const LISTED = 2.2
/** A list goes on as it began. */
const CONTINUES = 0.9
const MODES = ['debt', 'income', 'spending'] as const

export const SECTION_MODES: Record<string, Mode> = { debts: 'debt', income: 'income', spending: 'spending' }

type Scores = Record<Mode, number>

interface Signs {
  owes: boolean
  arrears: boolean
  canDebt: boolean
  canIncome: boolean
  canSpend: boolean
}

function signsOf({ near, doc, amount, topics }: Sum): Signs {
  return {
    owes: near.near('owe'),
    // "the rent account is £1,425 down"
    arrears: near.near('arrears') || doc.tokens[amount.after]?.lower === 'down',
    canDebt: topics.some(({ debt }) => debt != null),
    canIncome: topics.some(({ income }) => income),
    canSpend: topics.some(({ spending }) => spending)
  }
}

function headed({ statement }: Sum): Mode | undefined {
  return statement.firm ? SECTION_MODES[statement.section ?? ''] : undefined
}

/** A payment towards a debt: a word for one is near, and who or what it goes to. */
function isPayment(sum: Sum, { arrears, canDebt }: Signs): boolean {
  const { near, amount, statement, named, mode } = sum
  const section = headed(sum)
  if (!near.near('payment') || arrears || section === 'spending' || section === 'income') return false
  if (!named && mode !== 'debt' && !canDebt) return false
  const period = amount.period ?? statement.period?.value
  const led = near.cues.some(({ cues, to }) => cues.includes('payment') && to <= amount.from && to >= amount.from - 3)
  return period != null || (named && led)
}

function addCreditor(scores: Scores, sum: Sum, { owes, canDebt }: Signs): void {
  const { doc, amount, before, after, name, named, mode, inherited, statement } = sum
  if (named) {
    scores.debt += name?.kind === 'place' ? 2 : 3
    scores.income -= 2
    scores.spending -= 1
  } else if (name?.kind === 'relation') {
    // a neighbour may be spoken of without being owed
    const listed = !statement.prose && inherited === 'debt'
    const lends = listed || mode === 'debt' || headed(sum) === 'debt' || canDebt || before?.to === amount.from
    scores.debt += owes ? 2.5 : lends ? 1 : -0.5
  } else if (name != null) {
    scores.debt += owes ? 2.5 : 1
  }
  // "council tax £1,340 (Barnet)": bills don't come with who is owed in brackets
  const given = before?.name == null && after?.name != null && doc.tokens[after.from - 1]?.text === '('
  if (given && canDebt) scores.debt += 2
}

function addTopics(scores: Scores, { topics, name }: Sum, { canDebt, canIncome, canSpend }: Signs): void {
  if (topics.length === 0) return
  if (canDebt) scores.debt += canSpend || canIncome ? 0.5 : 2.5
  else if (name == null) scores.debt -= 3
  if (canIncome) scores.income += canSpend || canDebt ? 1.5 : 3.5
  else scores.income -= 2
  if (canSpend) scores.spending += canDebt || canIncome ? 2 : 3
  else scores.spending -= canIncome ? 2 : 1.5
}

function addPeriod(scores: Scores, { amount, named }: Sum, { arrears, canSpend }: Signs): void {
  if (amount.period == null) return
  if (!arrears) scores.debt -= named && !canSpend ? 2 : 3.5
  scores.income += 0.5
  scores.spending += 0.7
}

function addPlace(scores: Scores, sum: Sum): void {
  const { statement, mode, inherited, previous } = sum
  const soft = statement.firm ? undefined : SECTION_MODES[statement.section ?? '']
  const before = mode == null ? inherited : undefined
  const weights = [
    [headed(sum), HEADING],
    [soft, COLOUR],
    [mode, VERB],
    [before, statement.prose ? INHERITED : LISTED]
  ] as const
  for (const [about, weight] of weights) if (about != null) scores[about] += weight
  if (previous === 'debt' || previous === 'income' || previous === 'spending') scores[previous] += CONTINUES
}

/** Weighs what a sum that no rule has placed is; undefined where nothing speaks clearly enough. */
export function weigh(sum: Sum): Role | undefined {
  const signs = signsOf(sum)
  if (isPayment(sum, signs)) return 'payment'
  const scores: Scores = { debt: 0, income: 0, spending: 0 }
  if (signs.owes) scores.debt += 2
  if (signs.arrears) scores.debt += 3
  addCreditor(scores, sum, signs)
  addTopics(scores, sum, signs)
  addPeriod(scores, sum, signs)
  addPlace(scores, sum)
  const [best] = MODES.toSorted((a, b) => scores[b] - scores[a])
  return best == null || scores[best] < THRESHOLD ? undefined : confirm(best, sum, signs)
}

function confirm(best: Mode, sum: Sum, { owes }: Signs): Role | undefined {
  const { amount, before, after, named, mode, inherited, previous, statement } = sum
  const section = headed(sum)
  const bare = before == null && after == null
  if (best !== 'debt') return bare && section == null && mode == null ? undefined : best
  if (section === 'debt') return best
  // so much a month is never what is owed
  if (amount.period != null) return named ? 'payment' : undefined
  // "Aqua, limit £1,200, balance £1,190" goes on about what was named; else a sum owed to nobody for nothing is no debt
  const goesOn = (previous === 'other' && owes) || (!statement.prose && inherited === 'debt')
  return bare && !goesOn ? undefined : best
}
