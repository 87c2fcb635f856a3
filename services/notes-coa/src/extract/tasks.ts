import type { DateMention } from '../text/dates.ts'
import type { Said, Span } from '../types.ts'
import { type Document, within } from './document.ts'
import type { Parties } from './parties.ts'
import { type Statement, tokenAt } from './statements.ts'

export interface Task {
  who: 'client' | 'adviser' | 'other'
  /** what is to be done, word for word */
  what: Span
  when?: Said<string>
}

export interface Deadline {
  /** every date in the sentence that something is due on */
  whens: Said<string>[]
  /** the sentence */
  what: Span
  /** part of what client or adviser undertook, as against what others will do */
  task: boolean
}

const VERBS =
  /^(?:send|bring|ring|call|phone|email|post|write|contact|complete|sign|find|get|chase|book|check|upload|pay|speak|return|reply|apply|set|open|draft|submit|register|enter|help|refer|provide|keep|cancel|stop|make|put|take|add|lodge|confirm|give|agree|fill|tell|ask|look|hand|gather|collect)$/
const MODALS = new Set(['will', 'must', 'should', 'shall', "'ll"])
const PRONOUNS: Record<string, Task['who']> = {
  i: 'adviser',
  "i'll": 'adviser',
  "i'm": 'adviser',
  we: 'adviser',
  "we'll": 'adviser',
  he: 'client',
  she: 'client',
  they: 'client',
  "he'll": 'client',
  "she'll": 'client',
  "they'll": 'client',
  "she's": 'client',
  "he's": 'client',
  "they're": 'client',
  hes: 'client',
  shes: 'client',
  client: 'client',
  cl: 'client',
  clt: 'client',
  adviser: 'adviser',
  advisor: 'adviser',
  adv: 'adviser'
}
const OUTSIDE = new Set(['options', 'decision', 'debts', 'income', 'spending', 'budget', 'reasons', 'consequences'])
const SPAN_LEADS = new Set(['within', 'in', 'after', 'has', 'have', 'gives', 'given', ',', 'with', '-', '='])
const FUTURE_LEADS = new Set(['by', 'before', 'until', 'till', 'due', 'exp', 'expires', 'expire'])
const SPAN_NEXT = new Set(['to', 'from', 'notice'])

export class TaskReader {
  readonly #doc: Document
  readonly #clientNames: ReadonlySet<string>
  readonly #adviserNames: ReadonlySet<string>
  readonly #advice: Said<string> | undefined

  constructor(doc: Document, parties: Parties) {
    this.#doc = doc
    this.#advice = parties.date
    const parts = (name: Said<string> | undefined): Set<string> => {
      const words = (name?.value ?? '')
        .toLowerCase()
        .split(/[^\p{L}'-]+/u)
        .filter(word => word.length > 1 && !doc.lexicon.titles.has(word))
      const initials = words.map(word => word.charAt(0)).join('')
      return new Set(initials.length > 1 ? [...words, initials] : words)
    }
    this.#clientNames = parts(parties.client)
    this.#adviserNames = parts(parties.adviser)
  }

  read(): { tasks: Task[]; deadlines: Deadline[] } {
    const tasks: Task[] = []
    const deadlines: Deadline[] = []
    for (const statement of this.#doc.statements) {
      const who = this.#task(statement)
      const dates = this.#dates(statement, who != null)
      const what = this.#whole(statement, dates)
      if (who != null) tasks.push({ who, what, when: dates[0] })
      if (dates.length > 0) deadlines.push({ whens: dates, what, task: who != null })
    }
    return { tasks, deadlines }
  }

  /** The statement with its label, where that says by when or who: "By 24 February: …". */
  #whole({ start, end, labelSpan, label }: Statement, dates: readonly Said<string>[]): Span {
    const told = label === 'client' || label === 'adviser' || dates.some(({ span }) => span.end <= start)
    return { start: told && labelSpan != null ? labelSpan.start : start, end }
  }

  #word(at: number): string {
    return this.#doc.tokens[at]?.lower ?? ''
  }

  #whoIs(at: number): Task['who'] | undefined {
    const token = this.#doc.tokens[at]
    if (token == null) return undefined
    if (this.#adviserNames.has(token.stem)) return 'adviser'
    if (this.#clientNames.has(token.stem)) return 'client'
    return PRONOUNS[token.lower]
  }

  #task(statement: Statement): Task['who'] | undefined {
    const { tokens } = this.#doc
    const section = statement.firm ? statement.section : undefined
    let at = statement.from
    while (at < statement.to && tokens[at]?.kind === 'mark') at += 1
    if (section === 'actions') {
      if (/^(?:none|nil|n\/a)\b/i.test(this.#doc.notes.slice(statement.start, statement.end))) return undefined
      if (statement.label === 'client' || statement.label === 'adviser') return statement.label
      for (let i = at; i < Math.min(statement.to, at + 8); i++) {
        const who = this.#whoIs(i)
        if (who != null) return who
      }
      return 'other'
    }
    if (section != null && OUTSIDE.has(section)) return undefined
    for (let i = at; i < Math.min(statement.to, at + 24); i++) {
      const who = this.#duty(i, statement)
      if (who != null) return who
    }
    return this.#opening(at)
  }

  /** "I will ring", "she needs to find", "Niece to set up": who, right before a word of duty. */
  #duty(i: number, statement: Statement): Task['who'] | undefined {
    const { tokens } = this.#doc
    const word = this.#word(i)
    const next = this.#word(i + 1)
    const contracted =
      /'ll$/.test(word) || word === "i'm" || word === "he's" || word === "she's" || word === 'hes' || word === 'shes'
    if (contracted && (/'ll$/.test(word) ? true : next === 'to')) {
      const verb = this.#word(/'ll$/.test(word) ? i + 1 : i + 2)
      return VERBS.test(verb) ? this.#whoIs(i) : undefined
    }
    const to =
      word === 'to' ||
      (word === 'needs' && next === 'to') ||
      (word === 'need' && next === 'to') ||
      (word === 'has' && next === 'to') ||
      (word === 'have' && next === 'to') ||
      ((word === 'is' || word === 'am') && next === 'to')
    if (!MODALS.has(word) && !to) return undefined
    const verb = word === 'to' || MODALS.has(word) ? i + 1 : i + 2
    const doing = VERBS.test(this.#word(verb)) || VERBS.test(this.#word(verb + 1))
    if (!doing) return undefined
    const before = this.#whoIs(i - 1) ?? this.#whoIs(i - 2)
    if (before != null) return before
    if (i === statement.from && word !== 'to') return 'client'
    const name = tokens[i - 1]
    return word === 'to' && i - 1 === statement.from && name?.kind === 'word' ? 'other' : undefined
  }

  /** "Needs to send ID", "Can you chase", "calling her back", "Bring in tenancy papers". */
  #opening(at: number): Task['who'] | undefined {
    const [first, second, third] = [this.#word(at), this.#word(at + 1), this.#word(at + 2)]
    if ((first === 'can' || first === 'could' || first === 'please') && VERBS.test(second === 'you' ? third : second))
      return 'adviser'
    if (['needs', 'must', 'has'].includes(first) && (second === 'to' || VERBS.test(second))) return 'client'
    if (first === 'bring' || (first === 'to' && second === 'bring')) return 'client'
    if (VERBS.test(first) && this.#doc.tokens[at]?.capital === true && first !== 'agree') return 'adviser'
    if (first === 'will' && VERBS.test(second)) return 'adviser'
    return ['calling', 'ringing', 'phoning'].includes(first) ? 'adviser' : undefined
  }

  #dates(statement: Statement, task: boolean): Said<string>[] {
    const dates = within(this.#doc.dates, statement.from, statement.to)
    const label = statement.labelSpan
    const { tokens } = this.#doc
    const labelDates =
      label == null ? [] : within(this.#doc.dates, tokenAt(tokens, label.start), tokenAt(tokens, label.end))
    return [...labelDates, ...dates]
      .filter(date => this.#isDeadline(date, statement, task))
      .map(({ start, end }) => ({
        value: this.#doc.notes.slice(start, end).replace(/\s+/g, ' '),
        span: { start, end }
      }))
  }

  #isDeadline(date: DateMention, statement: Statement, task: boolean): boolean {
    const { tokens, lexicon } = this.#doc
    if (this.#advice != null && date.start === this.#advice.span.start) return false
    const section = statement.firm ? statement.section : undefined
    if (
      section !== 'actions' &&
      [
        'client',
        'adviser',
        'date',
        'channel',
        'address',
        'reference',
        'consent',
        'income',
        'spending',
        'nation'
      ].includes(statement.label ?? section ?? '')
    )
      return false
    const before = this.#word(date.from - 1)
    const earlier = tokens.slice(Math.max(statement.from, date.from - 3), date.from).map(({ lower }) => lower)
    const text = this.#doc.notes.slice(date.start, date.end).toLowerCase()
    if (text === 'yesterday' || text === 'this morning' || text === 'this afternoon') return false
    if (date.kind === 'span') {
      const leads = SPAN_LEADS.has(before) || /^(?:within|in)\b/.test(text)
      const follows = SPAN_NEXT.has(this.#word(date.to)) || ['.', ',', ';', ''].includes(this.#word(date.to))
      if (!leads || !follows || before === 'for') return false
      if (!/^(?:within|in)\b/.test(text) && !/day|week|wk/.test(text)) return false
    }
    if (date.kind === 'month' && !/^end/.test(text) && before !== 'by' && before !== 'before') return false
    const past =
      (!FUTURE_LEADS.has(before) &&
        earlier.some(word => lexicon.past.has(word) && !['in', 'from', 'was', 'were'].includes(word))) ||
      before === 'in'
    if (section === 'deadlines' || section === 'actions') return !past
    if (past) return false
    const event = this.#has(lexicon.event, statement)
    if (section == null && ['by', 'before', 'until', 'till', 'than'].includes(before)) return true
    if (section === 'options' || section === 'debts')
      return (
        event && ['by', 'before', 'until', 'on', 'closes', 'expires', 'starts', 'within', 'hearing'].includes(before)
      )
    if (date.kind === 'relative' && !task && !event) return false
    return task || event
  }

  #has(index: Document['lexicon']['event'], { from, to }: Statement): boolean {
    for (let i = from; i < to; i++) if (index.match(this.#doc.tokens, i, to) != null) return true
    return false
  }
}
