import type { Said, Span } from '../types.ts'
import { type Document, within } from './document.ts'
import type { Statement } from './statements.ts'

export interface Parties {
  client?: Said<string>
  adviser?: Said<string>
  date?: Said<string>
  channel?: Said<string>
  nation?: Said<string>
  reference?: Said<string>
  address?: Said<string>
}

/** How far into running text the parties are looked for, in sentences. */
const OPENING = 4
const MEETING = new Set(
  'caller customer name tc chat appointment saw met visited spoke client clients cl clt reviewed interview interviewed appt appointment session call w with from to re r/v v'.split(
    ' '
  )
)
const LINKS = new Set([
  'of',
  'to',
  'with',
  'from',
  'w',
  '/',
  'is',
  '=',
  ':',
  ',',
  'mr',
  'the',
  'client',
  'cl',
  'clt',
  'clients',
  'are'
])
const FIRST_VERBS = new Set('came attended called rang works is has lives was phoned contacted and'.split(' '))
const NOT_CLIENT = new Set([
  'landlord',
  'll',
  'landlady',
  'adviser',
  'advisor',
  'caseworker',
  'his',
  'her',
  'agent',
  'hi',
  'hello',
  'dear'
])
const ADVISERS = new Set(['adviser', 'advisor', 'caseworker'])
const SEEN = new Set(['seen', 'advised', 'interviewed', 'met'])
const NOT_THE_TALK = new Set(
  'eviction hearing court dated served since bailiffs bailiff due expires dob born birth'.split(' ')
)
const BEFORE_EVENT = new Set(['by', 'before', 'until', 'due', 'from', 'on or'])

export class PartyReader {
  readonly #doc: Document
  readonly #opening: Statement[]

  constructor(doc: Document) {
    this.#doc = doc
    this.#opening = doc.statements.slice(0, OPENING)
  }

  read(): Parties {
    const labelled = (code: string): Said<string> | undefined => {
      const statement = this.#doc.statements.find(
        ({ label, section }) => label === code || (label == null && section === code)
      )
      return statement == null ? undefined : this.#value(statement, code)
    }
    return {
      client: labelled('client') ?? this.#client(),
      adviser: labelled('adviser') ?? this.#adviser(),
      date: this.#labelledDate() ?? this.#date(),
      channel: this.#listed('channel', this.#doc.lexicon.channels),
      nation: this.#listed('nation', this.#doc.lexicon.nations),
      reference: labelled('reference'),
      address: labelled('address')
    }
  }

  #said(from: number, to: number): Said<string> | undefined {
    const { tokens, notes } = this.#doc
    const first = tokens[from]
    const last = tokens[to - 1]
    if (first == null || last == null || to <= from) return undefined
    return {
      value: notes.slice(first.start, last.end).replace(/\s+/g, ' '),
      span: { start: first.start, end: last.end }
    }
  }

  /** The value of a field, without what follows in brackets or in a further column. */
  #value(statement: Statement, code: string): Said<string> | undefined {
    const { tokens } = this.#doc
    let to = statement.from
    while (to < statement.to) {
      const token = tokens[to]
      if (token == null || token.text === '(' || token.text === ';' || (token.newLine && to > statement.from)) break
      if (
        code !== 'address' &&
        (token.text === '|' || (to > statement.from && token.start - (tokens[to - 1]?.end ?? 0) > 2))
      )
        break
      if (['client', 'adviser'].includes(code) && (token.text === ',' || (token.text === '-' && !token.joined))) break
      to += 1
    }
    while (
      to > statement.from &&
      ['.', ',', '*', '_', '"', '|'].includes(tokens[to - 1]?.text ?? '') &&
      !(tokens[to - 2]?.text.length === 1)
    )
      to -= 1
    let { from } = statement
    while (from < to && tokens[from]?.kind === 'mark') from += 1
    return this.#said(from, to)
  }

  #nameAt(at: number, to: number): Said<string> | undefined {
    const { tokens, lexicon } = this.#doc
    let end = at
    for (let i = at; i < to && i - at < 7; i++) {
      const token = tokens[i]
      if (token == null) break
      const title = lexicon.titles.has(token.lower)
      const name = token.kind === 'word' && token.capital && (title || i > at || !lexicon.common.has(token.lower))
      if (name) {
        if (i > at && lexicon.common.has(token.lower) && token.text.length > 1 && !title) break
        end = i + 1
        continue
      }
      const next = tokens[i + 1]
      const initial = token.text === '.' && token.joined && (tokens[i - 1]?.text.length ?? 9) <= 2
      const joins =
        (token.lower === 'and' || token.text === '&' || token.text === '-') &&
        next?.capital === true &&
        !lexicon.common.has(next.lower)
      if (end === at || !(joins || (initial && next?.capital === true))) break
    }
    return end === at ? undefined : this.#said(at, end)
  }

  #client(): Said<string> | undefined {
    const { tokens, names, lexicon } = this.#doc
    for (const [at, statement] of this.#opening.entries()) {
      for (let i = statement.from; i < statement.to; i++) {
        const token = tokens[i]
        if (token == null) break
        const before = tokens[i - 1]
        const led = i > statement.from && LINKS.has(before?.lower ?? '') && this.#meets(statement.from, i)
        const direct =
          i > statement.from &&
          MEETING.has(before?.lower ?? '') &&
          !['with', 'from', 'to'].includes(before?.lower ?? '')
        const first = at === 0 && i === statement.from && statement.prose
        if (NOT_CLIENT.has(before?.lower ?? '')) continue
        const known = names.find(name => name.from <= i && i < name.to)
        if (known != null && known.kind !== 'person' && known.kind !== 'name') continue
        if (led || direct) {
          const name = this.#nameAt(i, statement.to) ?? (direct || led ? this.#smallName(i, statement) : undefined)
          if (name != null && !lexicon.titles.has(name.value.toLowerCase())) return name
        }
        if (token.capital && lexicon.titles.has(token.lower)) {
          const name = this.#nameAt(i, statement.to)
          if (name != null) return name
        }
        if (first) {
          const name = this.#nameAt(i, statement.to) ?? this.#smallName(i, statement)
          const after = name == null ? undefined : tokens.find(({ start }) => start >= name.span.end)
          if (
            name != null &&
            after != null &&
            (after.text === '(' || (FIRST_VERBS.has(after.lower) && after.lower !== 'and'))
          )
            return name
        }
      }
    }
    return undefined
  }

  /** A word of meeting somebody stands shortly before. */
  #meets(from: number, at: number): boolean {
    const words = this.#doc.tokens.slice(Math.max(from, at - 4), at)
    return words.some(({ lower }) => MEETING.has(lower) && !['with', 'from', 'to', 'w', 're', 'v'].includes(lower))
  }

  /** A name in notes without capitals: one unknown word. */
  #smallName(at: number, statement: Statement): Said<string> | undefined {
    const { tokens, lexicon } = this.#doc
    if (tokens.slice(0, 40).some(({ capital }) => capital)) return undefined
    const token = tokens[at]
    if (token?.kind !== 'word' || token.text.length < 2 || lexicon.common.has(token.lower) || LINKS.has(token.lower))
      return undefined
    const plain = [lexicon.relations, lexicon.creditors, lexicon.options].some(
      index => index.match(tokens, at, statement.to) != null
    )
    if (plain) return undefined
    const next = tokens[at + 1]
    const surname = next?.kind === 'word' && !next.newLine && at + 1 < statement.to && !lexicon.common.has(next.lower)
    return this.#said(at, surname ? at + 2 : at + 1)
  }

  #adviser(): Said<string> | undefined {
    const { tokens } = this.#doc
    for (const statement of this.#opening) {
      for (let i = statement.from; i < statement.to; i++) {
        const by = tokens[i]?.lower === 'by' && SEEN.has(tokens[i - 1]?.lower ?? '')
        if (!by && !ADVISERS.has(tokens[i]?.lower ?? '')) continue
        const at = tokens[i + 1]?.text === ':' || tokens[i + 1]?.text === '=' ? i + 2 : i + 1
        const name = this.#nameAt(at, statement.to)
        if (name != null) return name
      }
    }
    return undefined
  }

  #labelledDate(): Said<string> | undefined {
    for (const statement of this.#doc.statements) {
      if (statement.label !== 'date' && !(statement.label == null && statement.section === 'date')) continue
      const date = within(this.#doc.dates, statement.from, statement.to)[0]
      if (date != null) return this.#plainDate(date)
    }
    return undefined
  }

  #plainDate({ start, end }: Span): Said<string> {
    return { value: this.#doc.notes.slice(start, end).replace(/\s+/g, ' '), span: { start, end } }
  }

  /** The day of the talk: a date in the first sentences that nothing is due by. */
  #date(): Said<string> | undefined {
    const { tokens, dates } = this.#doc
    for (const statement of this.#opening) {
      if (statement.label != null && !['client', 'adviser', 'channel'].includes(statement.label)) continue
      for (const date of within(dates, statement.from, statement.to)) {
        if (date.kind !== 'day' || BEFORE_EVENT.has(tokens[date.from - 1]?.lower ?? '')) continue
        const about = tokens.slice(statement.from, date.from).some(({ lower }) => NOT_THE_TALK.has(lower))
        if (!about) return this.#plainDate(date)
      }
    }
    return undefined
  }

  #listed(code: string, index: Document['lexicon']['channels']): Said<string> | undefined {
    const { tokens, names } = this.#doc
    const labelled = this.#doc.statements.filter(
      ({ label, section }) => label === code || (label == null && section === code)
    )
    const places = [...labelled, ...this.#opening.slice(0, code === 'nation' ? 1 : 3)]
    for (const statement of places) {
      for (let i = statement.from; i < statement.to; i++) {
        const match = index.match(tokens, i, statement.to)
        const value = match?.values[0]
        if (match == null || value == null) continue
        if (names.some(name => name.from <= i && i < name.to && name.kind !== 'name')) continue
        const span = { start: tokens[i]?.start ?? 0, end: tokens[i + match.length - 1]?.end ?? 0 }
        return { value, span }
      }
    }
    const own = labelled[0]
    return own == null ? undefined : this.#value(own, code)
  }
}
