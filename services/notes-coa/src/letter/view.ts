import type { Config, OptionText } from '../config.ts'
import type { Case } from '../extract/case.ts'
import { statementAt } from '../extract/document.ts'
import { tokenAt } from '../extract/statements.ts'
import { formatPence } from '../money-text.ts'
import type { Amount } from '../text/money.ts'
import type { Calculation, Said, Span } from '../types.ts'
import { type BudgetView, buildBudget } from './budget-view.ts'
import { buildDebts, type DebtView } from './debt-view.ts'
import { configured, noted, oneLine, type Piece, requested } from './pieces.ts'
import type { Warning } from './warnings.ts'

/** What the request says of the people; it goes before what the notes say. */
export interface People {
  client?: { name?: string; address?: string; reference?: string }
  adviser?: { name?: string; role?: string; phone?: string; email?: string }
  /** the letter's own date, as it should be written */
  date?: string
}

export interface OptionView {
  name: Piece
  text: Omit<OptionText, 'words' | 'nations' | 'ask'>
  ask: string[]
  remarks: Piece[]
  status: 'chosen' | 'rejected' | 'suitable' | 'considered'
  code: string
}

export interface Leftover {
  sentence: Piece
  amounts: Piece[]
}

/** What a template works with. */
export interface View {
  text: Config['letter']
  organisation: Record<'name' | 'address' | 'phone' | 'email' | 'status' | 'complaints', Piece | undefined>
  client: { name?: Piece; address?: Piece; reference?: Piece; nation?: Piece }
  adviser: { name?: Piece; role?: Piece; phone?: Piece; email?: Piece }
  advice: { date?: Piece; channel?: Piece }
  letterDate: Piece | undefined
  problem: Piece[]
  circumstances: Piece[]
  consented: boolean
  debts: DebtView
  budget: BudgetView
  deadlines: { whens: Piece[]; what: Piece }[]
  noDeadlines: Piece | undefined
  options: OptionView[]
  decision: { option: Piece | undefined; undecided: boolean; remark: Piece } | undefined
  reasons: Piece[]
  tasks: Record<'client' | 'adviser' | 'other', { what: Piece; when: Piece | undefined }[]>
  consequences: Piece[]
  documents: Piece[]
  referrals: Piece[]
  consent: Piece[]
  leftovers: Leftover[]
}

export interface BuiltView {
  view: View
  calculated: Calculation[]
  warnings: Warning[]
}

export function buildView(found: Case, config: Config, people: People): BuiltView {
  const { doc, parties, passages } = found
  const { letter } = config
  const calculated: Calculation[] = []
  const warnings: Warning[] = []
  const out = { calculated, warnings }
  const quote = (span: Span): Piece => quotation(doc.notes, span)
  const quotes = (spans: readonly Span[]): Piece[] => spans.map(quote)
  const said = (value: Said<string> | undefined): Piece | undefined =>
    value == null ? undefined : noted(value.value, value.span)
  const given = (value: string | undefined, own: Said<string> | undefined): Piece | undefined =>
    value == null || value.trim() === '' ? said(own) : requested(value)
  const optional = (value: string | null): Piece | undefined => (value == null ? undefined : configured(value))

  compareNames(parties.client, people.client?.name, 'client', warnings)
  compareNames(parties.adviser, people.adviser?.name, 'adviser', warnings)
  if (letter.confirmed_by == null)
    warnings.push({
      code: 'WordingUnconfirmed',
      detail: `the letter's wording (as of ${letter.as_of}) has not been confirmed by the organisation`
    })
  const { organisation } = letter
  const view: View = {
    text: letter,
    organisation: {
      name: optional(organisation.name),
      address: optional(organisation.address),
      phone: optional(organisation.phone),
      email: optional(organisation.email),
      status: optional(organisation.status),
      complaints: optional(organisation.complaints)
    },
    client: {
      name: given(people.client?.name, parties.client),
      address: given(people.client?.address, parties.address),
      reference: given(people.client?.reference, parties.reference),
      nation: said(parties.nation)
    },
    adviser: {
      name: given(people.adviser?.name, parties.adviser),
      role: given(people.adviser?.role, undefined),
      phone: given(people.adviser?.phone, undefined),
      email: given(people.adviser?.email, undefined)
    },
    advice: { date: said(parties.date), channel: said(parties.channel) },
    letterDate: given(people.date, undefined),
    problem: quotes(passages.problem),
    circumstances: quotes(passages.circumstances),
    consented: passages.consented,
    debts: buildDebts(found, config, out),
    budget: buildBudget(found, config, out),
    deadlines: found.deadlines.map(({ whens, what }) => ({
      whens: whens.map(when => noted(when.value, when.span)),
      what: quote(what)
    })),
    noDeadlines: noDeadlines(found),
    options: found.options.flatMap(option => optionView(option, letter, parties.nation?.value, quotes, warnings)),
    decision: decisionView(found, letter, quote),
    reasons: quotes(passages.reasons),
    tasks: { client: [], adviser: [], other: [] },
    consequences: quotes(passages.consequences),
    documents: quotes(passages.documents),
    referrals: quotes(passages.referrals),
    consent: quotes(passages.consent),
    leftovers: []
  }
  for (const { who, what, when } of found.tasks) view.tasks[who].push({ what: quote(what), when: said(when) })
  if (found.debts.length === 0 && found.budget.income.length === 0 && found.budget.spending.length === 0) {
    warnings.push({ code: 'NothingFound', detail: 'no debt, income or spending was found in the notes' })
  }
  return { view, calculated, warnings }
}

/** The notes' own words, as a quotation. */
function quotation(notes: string, { start, end }: Span): Piece {
  // what the notes quote already needs no second pair of quotation marks
  const text = oneLine(notes.slice(start, end)).replace(/^["“]([^"“”]*)["”]$/, '$1')
  return noted(`“${text}”`, { start, end })
}

function compareNames(
  own: Said<string> | undefined,
  given: string | undefined,
  who: string,
  warnings: Warning[]
): void {
  if (own == null || given == null) return
  const words = (name: string): string[] =>
    name
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter(word => word.length > 1)
  const theirs = new Set(words(given))
  if (words(own.value).some(word => theirs.has(word))) return
  warnings.push({ code: 'NameDiffers', detail: `the request's ${who} is not the ${who} that the notes name` })
}

/** "Emergencies: none" is a statement too. */
function noDeadlines({ doc, deadlines }: Case): Piece | undefined {
  if (deadlines.length > 0) return undefined
  const none = doc.statements.find(
    ({ section, firm, start, end }) =>
      section === 'deadlines' && firm && /^(?:none|nil|no)\b/i.test(doc.notes.slice(start, end))
  )
  return none == null ? undefined : noted(doc.notes.slice(none.start, none.end), none)
}

function optionView(
  option: Case['options'][number],
  letter: Config['letter'],
  nation: string | undefined,
  quotes: (spans: readonly Span[]) => Piece[],
  warnings: Warning[]
): OptionView[] {
  const text = letter.options[option.code]
  if (text == null) return []
  if (nation != null && !text.nations.includes(nation)) {
    warnings.push({ code: 'OptionNotInNation', detail: `${text.name} is not listed for ${nation}` })
  }
  const { ask = [] } = text
  return [
    {
      name: configured(text.name),
      text,
      ask,
      remarks: quotes(option.remarks),
      status: option.status,
      code: option.code
    }
  ]
}

function decisionView({ decision }: Case, letter: Config['letter'], quote: (span: Span) => Piece): View['decision'] {
  if (decision == null) return undefined
  const name = decision.option == null ? undefined : letter.options[decision.option.value]?.name
  return {
    option: name == null || decision.option == null ? undefined : configured(name),
    undecided: decision.status.value === 'undecided',
    remark: quote(decision.remark)
  }
}

/** The sums that no printed value stands for, by sentence. */
export function findLeftovers({ doc, amounts }: Case, printed: readonly Piece[]): Leftover[] {
  const spans = printed.flatMap(piece => piece.spans).toSorted((a, b) => a.start - b.start)
  const missed: Amount[] = []
  let at = 0
  let reach = -1
  for (const amount of amounts) {
    for (let span = spans[at]; span != null && span.start <= amount.start; span = spans[at]) {
      reach = Math.max(reach, span.end)
      at += 1
    }
    if (amount.end > reach) missed.push(amount)
  }
  const bySentence = new Map<string, Leftover>()
  for (const amount of missed) {
    const statement = statementAt(doc.statements, tokenAt(doc.tokens, amount.start))
    const span =
      statement != null && statement.start <= amount.start && amount.end <= statement.end
        ? { start: statement.start, end: statement.end }
        : aroundLine(doc.notes, amount)
    const key = `${span.start}-${span.end}`
    const leftover = bySentence.get(key) ?? { sentence: quotation(doc.notes, span), amounts: [] }
    bySentence.set(key, leftover)
    const written = doc.notes.slice(amount.start, amount.end)
    leftover.amounts.push(
      noted(amount.pence == null || amount.certainty === 'bare' ? written : formatPence(amount.pence), {
        start: amount.start,
        end: amount.end
      })
    )
  }
  return [...bySentence.values()]
}

const AROUND = 120

/** Where no sentence holds a sum (a row of a table, a label): its line, or what is near it. */
function aroundLine(notes: string, { start, end }: Span): Span {
  const before = notes.slice(Math.max(0, start - AROUND), start)
  const after = notes.slice(end, end + AROUND)
  const from = before.lastIndexOf('\n') + 1
  const to = after.indexOf('\n')
  const lead = before.slice(from)
  const tail = to < 0 ? after : after.slice(0, to)
  return { start: start - lead.length + (lead.length - lead.trimStart().length), end: end + tail.trimEnd().length }
}
