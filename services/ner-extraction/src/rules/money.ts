import type { Candidate } from '../entity.ts'
import { digitsOf } from '../fold.ts'

const CURRENCIES: Record<string, string> = { '£': 'GBP', GBP: 'GBP', '€': 'EUR', EUR: 'EUR', $: 'USD', USD: 'USD' }
const MULTIPLES: Record<string, number> = { k: 1e3, thousand: 1e3, grand: 1e3, m: 1e6, million: 1e6, mil: 1e6, bn: 1e9 }

/**
 * O, l and I stand for figures in what was scanned, and a stop for a comma. A separator only counts with the right
 * number of figures behind it: three for thousands, two (or one, as in £1.2k) for the rest.
 */
const D = '[\\dOolI]'
const NUMBER = `${D}(?:${D}|[ \\t]?[,.][ \\t]?(?=${D}{2,3}(?!${D}))|\\.(?=\\d(?!${D}))|[ \\t](?=\\d{3}(?![ \\t]?\\d))){0,16}`
const PREFIXED = new RegExp(
  `(?:£|€|\\$|(?<!\\p{L})(?:GBP|EUR|USD))[ \\t]{0,3}(${NUMBER})` +
    '(?:(?<=\\d)(k|K|m|M|bn)(?![\\p{L}\\d])|[ \\t](thousand|grand|million)(?!\\p{L}))?',
  'gu'
)
const SUFFIXED =
  /(?<![\p{L}\d£€$.,/-])(\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,2})?|\d{1,7}(?:\.\d{1,2})?)(?:(k)|[ \t]?(pounds?|quid|pence|euros?|dollars?|grand|GBP|EUR|USD|p))(?![\p{L}\d])/giu

export function moneyInFigures(text: string): Candidate[] {
  const found: Candidate[] = []
  for (const { 0: match, 1: number = '', 2: letter, 3: word, index } of text.matchAll(PREFIXED)) {
    const value = readNumber(number)
    if (value == null) continue
    const currency = CURRENCIES[/^(?:£|€|\$|[A-Z]{3})/.exec(match)?.[0] ?? '£'] ?? 'GBP'
    const multiple = MULTIPLES[(letter ?? word ?? '').toLowerCase()] ?? 1
    found.push(money(index, index + match.length, 0.98, value * multiple, currency))
  }
  for (const { 0: match, 1: number = '', 2: k, 3: unit = '', index } of text.matchAll(SUFFIXED)) {
    const value = readNumber(number)
    const name = unit.toLowerCase()
    if (value == null || (unit === 'P' && k == null)) continue
    const multiple = k != null ? 1e3 : name === 'grand' ? 1e3 : name === 'p' || name === 'pence' ? 0.01 : 1
    const currency = /^eur/.test(name) ? 'EUR' : /^(?:dollar|usd)/.test(name) ? 'USD' : 'GBP'
    found.push(
      money(index, index + match.length, k != null ? 0.6 : name === 'p' ? 0.85 : 0.95, value * multiple, currency)
    )
  }
  return found
}

function readNumber(text: string): number | undefined {
  const compact = text.replace(/\s/g, '')
  if (!/\d/.test(compact)) return undefined
  // the last separator parts the pence if fewer than three figures follow it
  const [, whole = '', fraction = ''] = /^(.*?)(?:[.,]([^.,]{1,2}))?$/.exec(compact) ?? []
  return Number(`${digitsOf(whole)}.${digitsOf(fraction) || '0'}`)
}

function money(start: number, end: number, confidence: number, value: number, currency = 'GBP'): Candidate {
  const amount = value.toFixed(2)
  return { type: 'MONEY', start, end, source: 'rule', confidence, normalized: `${currency} ${amount}` }
}

const UNITS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' '
  )
const TENS = '_ _ twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')
const SMALL = new Map([
  ...UNITS.map((word, i): [string, number] => [word, i]),
  ...TENS.map((word, i): [string, number] => [word, i * 10]),
  ['fourty', 40]
])
const SCALES = new Map([
  ['hundred', 100],
  ['thousand', 1000],
  ['grand', 1000],
  ['million', 1_000_000]
])
const JOINERS = new Set(['and', 'a', 'an', 'half'])
const MONEY_UNITS = new Map([
  ['pound', 1],
  ['pounds', 1],
  ['quid', 1],
  ['pence', 0.01],
  ['grand', 1000],
  ['euros', 1],
  ['dollars', 1]
])
const WORD = /[a-z]+/giy
/** a number in words has fewer than this */
const MAX_WORDS = 14

/** `two hundred pounds`, `fifty quid`, `two grand`, `three and a half thousand`. */
export function moneyInWords(text: string): Candidate[] {
  const found: Candidate[] = []
  const unit = /(?<![\p{L}\d])(pounds?|quid|pence|grand|euros|dollars|thousand)(?![\p{L}\d])/giu
  for (const { 0: match, index } of text.matchAll(unit)) {
    const name = match.toLowerCase()
    const words = wordsBefore(text, index)
    const first = words.findIndex(({ word }) => SMALL.has(word) || SCALES.has(word) || word === 'half' || word === 'a')
    const number = first < 0 ? [] : words.slice(first)
    // "a" alone before the unit says one of a kind, as in "a thousand" and "a grand".
    const start = number[0]?.start
    if (start == null || number.every(({ word }) => word === 'and')) continue
    if (
      name === 'thousand' &&
      !/^(?:["'”’.,;)\]]|\s+(?:owed|owing|in|to|from|of debt|with|on)\b|\s*$)/.test(
        text.slice(index + match.length, index + match.length + 16)
      )
    )
      continue
    if (number.length === 1 && number[0]?.word === 'a' && name !== 'grand' && name !== 'thousand') continue
    const value = readWords(
      number.map(({ word }) => word),
      name === 'thousand' ? 1000 : (MONEY_UNITS.get(name) ?? 1)
    )
    const currency = name === 'euros' ? 'EUR' : name === 'dollars' ? 'USD' : 'GBP'
    found.push(money(start, index + match.length, name === 'thousand' ? 0.7 : 0.92, value, currency))
  }
  return found
}

function wordsBefore(text: string, end: number): { word: string; start: number }[] {
  const words: { word: string; start: number }[] = []
  let position = end
  while (words.length < MAX_WORDS) {
    let wordEnd = position
    while (wordEnd > 0 && position - wordEnd < 3 && /[\s-]/.test(text[wordEnd - 1] ?? '')) wordEnd--
    let start = wordEnd
    while (start > 0 && wordEnd - start < 10 && /[a-z]/i.test(text[start - 1] ?? '')) start--
    WORD.lastIndex = start
    const word = WORD.exec(text)?.[0]
      .slice(0, wordEnd - start)
      .toLowerCase()
    if (word == null || start === wordEnd || /[\p{L}\d]/u.test(text[start - 1] ?? '')) break
    if (!SMALL.has(word) && !SCALES.has(word) && !JOINERS.has(word)) break
    words.unshift({ word, start })
    position = start
  }
  return words
}

/** Reads English number words; `half` counts with the scale that follows it. */
function readWords(words: string[], unit: number): number {
  let total = 0
  let group = 0
  let half = 0
  for (const word of words) {
    const small = SMALL.get(word)
    const scale = SCALES.get(word)
    if (small != null) group += small
    else if (word === 'half') half = 0.5
    else if (scale === 100) group = Math.max(group, 1) * 100 + half * 100
    else if (scale != null) {
      total += (Math.max(group, half > 0 ? 0 : 1) + half) * scale
      group = 0
      half = 0
    } else if (word === 'a' && words.length === 1) group = 1
  }
  return (total + group + half) * unit
}

const LABELLED =
  /(?<![\p{L}])(?:balance|bal|amount|amt|total|tot|owed|owing|owes?|arrears|due|paid|pd|payments?|pymts?|offers?|limit|lim|rent|sum|o\/s|debt|fees?|costs?|charges?|income|wages|surplus|deficit|outstanding|repayment|instalment|credit|debit|price|fine)(?:[ \t]{0,8}[:=|–-][ \t£]{0,24}|[ \t]{1,24}|[ \t]of[ \t])(\d{1,3}(?:,\d{3}){1,3}(?:\.\d{2})?|\d{1,7}\.\d{2})(?![\d.,%/:-]\d|\d|[ \t]?(?:%|am\b|pm\b))/giu
const GROUPED = /(?<![\p{L}\d£€$.,/-])\d{1,3}(?:,\d{3}){1,3}\.\d{2}(?![\d.,/-]\d|\d)/gu
const CELL = /(?<=[|\t:=][ \t]{0,12}|[ \t]{3})\d{1,6}\.\d{2}(?=[ \t]{0,12}(?:\||\n|\r|$|[ \t]{3}))/g

/** Amounts without a currency: after a word such as `Balance`, with thousands and pence, or alone in a column. */
export function bareAmounts(text: string): Candidate[] {
  const found: Candidate[] = []
  for (const { 0: match, 1: number = '', index } of text.matchAll(LABELLED)) {
    const end = index + match.length
    found.push(money(end - number.length, end, 0.85, Number(number.replace(/,/g, ''))))
  }
  for (const { 0: match, index } of text.matchAll(GROUPED))
    found.push(money(index, index + match.length, 0.8, Number(match.replace(/,/g, ''))))
  for (const { 0: match, index } of text.matchAll(CELL))
    found.push(money(index, index + match.length, 0.7, Number(match)))
  return found
}

const FIGURE_AFTER_CREDITOR =
  /^[ \t]{0,2}[:=-]?[ \t]{0,2}(\d{1,3}(?:,\d{3}){1,2}|\d{2,6})(?:\.\d{2})?(?![\d/.:-]\d|\d|[ \t]?(?:%|months?|weeks?|days?|years?|x\b|st\b|nd\b|rd\b|th\b))/

/** In `owes lowell 450, cabot 1,290` the figure right behind a creditor is what is owed. */
export function amountAfterCreditor(text: string, creditor: { start: number; end: number }): Candidate | undefined {
  const before = text.slice(Math.max(0, creditor.start - 160), creditor.start)
  const clause = before.slice(Math.max(before.lastIndexOf('\n'), before.lastIndexOf('. ')) + 1)
  if (!/\b(?:owes?|owed|owing|debts?|creditors?|arrears)\b/i.test(clause)) return undefined
  const match = FIGURE_AFTER_CREDITOR.exec(text.slice(creditor.end, creditor.end + 40))
  if (match?.[1] == null) return undefined
  const end = creditor.end + match[0].length
  const figure = match[0].slice(match[0].indexOf(match[1]))
  return money(end - figure.length, end, 0.7, Number(figure.replace(/,/g, '')))
}
