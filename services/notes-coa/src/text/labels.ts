import type { Lexicon } from '../lexicon.ts'
import type { Period } from '../types.ts'
import { periodAdjective, periodNamed } from './periods.ts'
import { tokenise } from './tokens.ts'

export interface Label {
  /** as in the words file: `debts`, `total_income`, `creditor` */
  code: string
  period?: Period
  priority?: boolean
  /** the label's own words, cleaned */
  words: string
}

/** A label is no longer than this, so that prose before a colon isn't taken for one. */
const MAX_LABEL = 60
const PERIOD_WORDS = new Set(
  'monthly weekly month week pm pcm pw per a each every fortnightly four all p m w /'.split(' ')
)

function clean(raw: string): { main: string; inside: string } {
  let main = ''
  let inside = ''
  let depth = 0
  for (const char of raw) {
    if (char === '(' || char === '[') depth += 1
    else if (char === ')' || char === ']') depth = Math.max(0, depth - 1)
    else if (depth > 0) inside += char
    else main += char
  }
  return { main, inside }
}

function words(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll('’', "'")
    .replaceAll(/[*_#`~£>?!.,:;=]+/g, ' ')
    .split(/\s+/)
    .filter(word => /[\p{L}\p{N}&/+]/u.test(word))
}

function lookUp(lexicon: Lexicon, list: readonly string[]): string | undefined {
  const without = list.filter((word, i) => i === 0 || !/^\d+[.)]?$/.test(word))
  for (const candidate of [list, without, without.filter(word => !PERIOD_WORDS.has(word))]) {
    const found = lexicon.labels.get(candidate.join(' '))
    if (found != null) return found
  }
  const bare = without.filter(word => !PERIOD_WORDS.has(word) && !lexicon.labelFillers.has(word))
  // fillers alone name nothing, and "joint" alone is no label
  return bare.length === 0 ? undefined : lexicon.labels.get(bare.join(' '))
}

function priorityOf(inside: readonly string[]): boolean | undefined {
  const text = inside.join(' ')
  if (['np', 'non-priority', 'non priority', 'n/p'].includes(text)) return false
  return text === 'p' || text === 'priority' ? true : undefined
}

/** What label a short text is, if any. */
export function labelOf(lexicon: Lexicon, raw: string): Label | undefined {
  if (raw.length > MAX_LABEL) return undefined
  const { main, inside } = clean(raw)
  const list = words(main)
  if (list.length === 0 || list.length > 8) return undefined
  const bracketed = words(inside)
  const code = lookUp(lexicon, list)
  if (code == null) return undefined
  const tokens = tokenise(`${main} ${inside}`)
  const period = periodNamed(tokens, 0, tokens.length) ?? list.map(periodAdjective).find(found => found != null)
  const named = code === 'debts_priority' ? true : code === 'debts_non_priority' ? false : undefined
  return { code, period, priority: named ?? priorityOf(bracketed), words: list.join(' ') }
}

export interface LabelledText extends Label {
  /** where the value starts, in the text that was given */
  value: number
}

const SEPARATOR = /:(?=\s|$|\*|_)|=|\t|\s[-–—]\s|\s?\.{3,}/g

/**
 * Reads the label at the start of a line or sentence: "Client: …", "Debt 1 - …", "Date ..... 10 May". The first
 * separator counts, and the second where the first is inside a bracket. `section` is where the text stands.
 */
export function readLabel(lexicon: Lexicon, text: string, section?: string): LabelledText | undefined {
  const head = text.slice(0, MAX_LABEL + 5)
  let tries = 0
  for (const match of head.matchAll(SEPARATOR)) {
    if (++tries > 2) return undefined
    const raw = head.slice(0, match.index)
    if (raw.includes('£') && !raw.includes('(')) return undefined
    const label = labelOf(lexicon, raw)
    // "Next – store account – £845" in a list of debts is a shop.
    const sum = /^\s*£?\d/.test(text.slice(match.index + match[0].length, match.index + 12))
    const shop = label?.words === 'next' && match[0].trim() !== ':' && text.includes('£')
    if (label?.code === 'actions' && (sum || shop || (section === 'debts' && match[0].trim() !== ':'))) return undefined
    if (label != null) {
      const rest = text.slice(match.index + match[0].length)
      const lead = rest.length - rest.trimStart().length
      return { ...label, value: match.index + match[0].length + lead }
    }
  }
  return undefined
}
