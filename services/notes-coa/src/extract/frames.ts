import type { Topic } from '../lexicon.ts'
import type { Amount } from '../text/money.ts'
import type { Document } from './document.ts'
import { within } from './document.ts'
import type { NameMention } from './names.ts'
import type { Statement } from './statements.ts'

export interface TopicMention {
  kind: 'topic'
  from: number
  to: number
  /** what the word can be about; one word may stand for several things */
  topics: readonly Topic[]
}

/** What a sum may be about: a name, a topic, or both ("Barclaycard credit card", "council tax with Leeds City Council"). */
export interface Frame {
  from: number
  to: number
  name?: NameMention
  /** who was owed before: "Lowell (was Vodafone)" */
  original?: NameMention
  topics: TopicMention[]
  /** the relation that says who the name is: "her landlord, Hyde" */
  relation?: NameMention
}

/** Words that hold a name and its topic together. */
const JOINERS = new Set(
  `with w / | - – — … ( [ ] ) " for from to on of by re at the a an his her their my our old new former about regarding joint store personal debt debts bill account
   accounts acct acc now was formerly ex via s c/o originally previously owed owing arrears arr arrs . called in is , : this year's last current own @ contract`.split(
    /\s+/
  )
)
const PAIRING = new Set(['and', '&', '+', '/', ','])
const FORMER = new Set(['about', 'regarding', 'was', 'formerly', 'ex', 'for', 're', 'old', 'former', 'originally', '('])
const LATTER = new Set(['now', 'sold', 'bought', 'passed'])
const MAX_GAP = 5

type Element = NameMention | TopicMention

function topicsIn(
  { lexicon, tokens }: Document,
  from: number,
  to: number,
  blocked: (i: number) => boolean
): TopicMention[] {
  const found: TopicMention[] = []
  for (let i = from; i < to; ) {
    const match = blocked(i) ? undefined : lexicon.topics.match(tokens, i, to)
    const before = tokens[i - 1]?.lower ?? ''
    // "driving without insurance", "£3,800 still to pay"
    const spoken =
      ['phone', 'telephone', 'tel'].includes(tokens[i]?.lower ?? '') &&
      (before === 'the'
        ? ['over', 'on', 'by'].includes(tokens[i - 2]?.lower ?? '')
        : ['over', 'by', 'via'].includes(before))
    // "is paid £1,390", not "once the minimums are paid" or "has paid £630"
    const next = tokens[i + 1]
    const sum = next?.text === '£' || next?.kind === 'number' || ABOUT.has(next?.lower ?? '')
    const settled = tokens[i]?.lower === 'paid' && (!sum || ['has', 'have', 'had', 'already', 'was'].includes(before))
    if (
      match == null ||
      spoken ||
      (settled && match.length === 1) ||
      before === 'without' ||
      before === 'no' ||
      (before === 'to' && tokens[i]?.lower === 'pay')
    ) {
      i += 1
      continue
    }
    found.push({ kind: 'topic', from: i, to: i + match.length, topics: match.values })
    i += match.length
  }
  return found
}

const ABOUT = new Set(['about', 'around', 'roughly', 'approx', 'weekly', 'monthly'])

/** A bare capitalised word counts as a creditor only where creditors stand. */
const NAME_SLOTS = new Set([
  'with',
  'to',
  'from',
  'by',
  'owe',
  'owes',
  'owed',
  'owing',
  'w',
  '/',
  '-',
  '–',
  '(',
  ':',
  'at',
  'via',
  'landlord',
  'll',
  'lender',
  ',',
  'are',
  '*'
])

function inSlot(doc: Document, statement: Statement, name: NameMention): boolean {
  if (name.kind !== 'name') return true
  const marks = doc.tokens.slice(statement.from, name.from)
  const listed = marks.length <= 4 && marks.every(({ kind, text }) => kind === 'mark' || /^[ivx]{1,4}$/.test(text))
  if (listed) return !statement.prose || ['£', ',', '(', '-'].includes(doc.tokens[name.to]?.text ?? '')
  const before = doc.tokens[name.from - 1]?.lower ?? ''
  if (before === ',' || before === ':')
    return doc.tokens[name.to]?.text === '£' || doc.tokens[name.to]?.text === ',' || doc.tokens[name.to]?.text === '('
  return NAME_SLOTS.has(before) || before === 'a' || before === 'an' || before === 'the'
}

function gapWords(doc: Document, from: number, to: number): string[] {
  return doc.tokens.slice(from, to).map(({ lower }) => lower)
}

function strong(name: NameMention | undefined): boolean {
  return name?.kind === 'creditor' || name?.kind === 'organisation' || name?.kind === 'place'
}

/** Takes `element` into `frame` if they belong together; says whether it did. */
function join(doc: Document, frame: Frame, element: Element, statement: Statement): boolean {
  const gap = gapWords(doc, frame.to, element.from)
  if (gap.length > MAX_GAP) return false
  // what stands in brackets ends with them
  if (gap.includes(')') && doc.tokens[frame.from - 1]?.text === '(') return false
  const plain = gap.every(word => JOINERS.has(word) || /^(?:x\d|\d{2}(?:\d\d)?)$/.test(word))
  const sentenceEnd = gap.includes('.') && gap.at(-1) === '.'
  if (element.kind === 'topic') {
    if (frame.topics.length > 0) {
      const pair = gap.length === 1 && PAIRING.has(gap[0] ?? '') && gap[0] !== ','
      const bills = [...frame.topics, element].every(({ topics }) =>
        topics.some(({ spending, income }) => spending || income)
      )
      if (pair && bills && frame.name == null) {
        frame.topics.push(element)
        frame.to = element.to
        return true
      }
      if (!plain || gap.includes(':') || (gap.includes(',') && statement.prose) || frame.topics.length > 2) return false
    } else if (!plain || sentenceEnd) {
      return false
    }
    frame.topics.push(element)
    frame.to = element.to
    return true
  }
  if (frame.name == null) {
    if (!plain || sentenceEnd) return false
    if (element.kind === 'name' && gap.includes(',') && statement.prose) return false
    frame.name = element
    frame.to = element.to
    return true
  }
  if (frame.name.kind === 'relation' && gap.every(word => word === ',' || word === ':' || word === '(')) {
    frame.relation = frame.name
    frame.name = element
    frame.to = element.to
    return true
  }
  // "Marston for a Newham PCN", "Overdales Solicitors for Lowell": who acts for somebody else isn't the creditor
  const acts = frame.name.entry?.kind === 'agent' || doc.tokens[frame.name.to - 1]?.lower === 'solicitors'
  if (acts && plain && strong(element) && !gap.includes(',')) {
    frame.name = element
    frame.to = element.to
    return true
  }
  if (gap.some(word => LATTER.has(word)) && strong(element)) {
    frame.original = frame.name
    frame.name = element
    frame.to = element.to
    return true
  }
  if (
    frame.original == null &&
    plain &&
    gap.some(word => FORMER.has(word)) &&
    !gap.includes(',') &&
    element.kind !== 'relation'
  ) {
    // "council tax, Newham (Marston)": an enforcement firm in brackets isn't the creditor before
    if (!(element.entry?.kind === 'agent')) frame.original = element
    frame.to = element.to
    return true
  }
  return false
}

/** Groups names and topics of a statement into frames; a sum of money between two of them keeps them apart. */
export function findFrames(doc: Document, statement: Statement, amounts: readonly Amount[]): Frame[] {
  const { from, to } = statement
  const names = within(doc.names, from, to).filter(name => inSlot(doc, statement, name))
  const dates = within(doc.dates, from, to)
  const covered = new Set<number>()
  for (const item of [...names, ...dates]) for (let i = item.from; i < item.to; i++) covered.add(i)
  for (const amount of amounts) for (let i = amount.from; i < amount.after; i++) covered.add(i)
  const topics = topicsIn(doc, from, to, i => covered.has(i))
  const elements: Element[] = [...names, ...topics].sort((a, b) => a.from - b.from)
  const frames: Frame[] = []
  let next = 0
  for (const element of elements) {
    while (next < amounts.length && (amounts[next]?.from ?? 0) < element.from) next += 1
    const last = frames.at(-1)
    const parted = last == null || (amounts[next - 1]?.from ?? -1) >= last.to
    if (last != null && !parted && join(doc, last, element, statement)) continue
    frames.push(
      element.kind === 'topic'
        ? { from: element.from, to: element.to, topics: [element] }
        : { from: element.from, to: element.to, name: element, topics: [] }
    )
  }
  return frames
}
