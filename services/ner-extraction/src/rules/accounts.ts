import { isCardNumber, isIban, isMpan, isUtr } from '../checks.ts'
import type { Candidate } from '../entity.ts'
import { denoise, digitsOf } from '../fold.ts'

/** what a label before a number says of it, most telling first */
const KINDS: [string, RegExp][] = [
  ['sort_code', /^(?:sort|s\/c|sc\b)/i],
  ['iban', /^iban/i],
  ['utr', /^(?:utr|unique tax)/i],
  ['mpan', /^mp[ar]n/i],
  ['card', /^(?:credit |debit |c\/)?card/i],
  ['claim', /^(?:claim|warrant|case|court|judgment)/i],
  ['penalty_charge', /^(?:pcn|penalty|parking|charge notice)/i],
  ['agreement', /^(?:agreement|loan|policy|plan|roll|mortgage)/i],
  ['invoice', /^inv/i],
  ['account', /^(?:business |bank |rent |water |my )?(?:a\/c|acc|account)/i],
  ['reference', /./]
]

const NOUN =
  'a\\/c|acc(?:oun)?ts?|acct|acc|ac|claim|case|agreement|loan|policy|customer|client|member(?:ship)?|tenancy|invoice|inv|warrant|pcn|penalty charge(?: notice)?|parking charge(?: notice)?|charge notice|complaint|order|collection order|liability order|roll|mortgage|plan|contract|application|meter|licen[cs]e|lic|utr|unique taxpayer|iban|mpan|mprn|card|sort|judgment|division|file|record|debt|payment|booking|crn|urn|agent|debtor|court|fine|tv licensing|tv licence'
const QUALIFIER = 'name|holder|type|balance|status'
const STRONG = new RegExp(
  // `ref`, `our ref`, `claim no.`, `a/c number`: what follows is a reference whatever it looks like
  `(?<![\\p{L}\\d])(?:(?:${NOUN})[ \\t]{0,3}(?:n[o0]|num(?:ber)?|nr|ref(?:erence)?(?: (?:no|number))?|id|code|#)(?![\\p{L}])\\.?|(?:our |your |my |customer |account |payment |case |claim )?ref(?:erence|s)?(?: (?:no|number))?(?![\\p{L}])\\.?|s\\/c|iban|utr|mpan|mprn|pcn|crn|quot(?:e|ing))` +
    '[ \\t]{0,6}(?:(?:is|of)(?![\\p{L}]))?[ \\t:.#=–-]{0,12}',
  'giu'
)
const WEAK = new RegExp(
  // `account 12345678`: only a value with enough figures counts
  `(?<![\\p{L}\\d])(?:${NOUN}|notice|tenant|reg(?:istration)?|enforcement agent reference|no|number)(?![\\p{L}])(?! (?:${QUALIFIER}))\\.?[ \\t]{0,6}[:.#=–-]?[ \\t]{0,6}`,
  'giu'
)
/** a number after these is nobody's account */
const NOT_AN_ACCOUNT =
  /(?:(?:regulated by|authorised|conduct authority)[^.\n]{0,48}(?:reference|number|no)|registered (?:in [\p{L} ]{2,30})?(?:no|number|office)|company (?:reg(?:istration)? )?(?:no|number)|frn|firm reference|authorised|vat|registration number|charity (?:no|number)|phone|mobile|tel|fax|flat|house|room|page|section|act|paragraph|box|form)\.?[ \t]{0,3}(?:no|number)?\.?[ \t:]{0,6}$/iu
const VALUE =
  /[A-Z\d][A-Za-z\d]{0,23}(?:[/–-][A-Za-z\d]{1,20}(?!\p{L})|\.[A-Z\d]{1,12}(?![\p{L}\d])|[ \t]?[/–-][ \t]?(?=[A-Z\d]{0,11}\d|[A-Z]{1,2}(?![\p{L}\d]))[A-Z\dlOI]{1,12}(?!\p{L})|[ \t]{1,2}(?=[A-Z\d]{0,11}\d|[A-Z](?![\p{L}\d]))[A-Z\dlOI]{1,12}(?![\p{L}]|[.,]?\d{0,3}%)){0,7}/uy

export function accounts(text: string): Candidate[] {
  const words = denoise(text)
  return [...labelled(text, words, STRONG, true), ...labelled(text, words, WEAK, false), ...selfEvident(text)]
}

function labelled(text: string, words: string, pattern: RegExp, strong: boolean): Candidate[] {
  const found: Candidate[] = []
  for (const { 0: label, index } of words.matchAll(pattern)) {
    const start = index + label.length
    // a label at the end of a line has its value on the next in many letters; anything else there isn't its value
    VALUE.lastIndex = start
    const match = VALUE.exec(text)
    if (match == null || NOT_AN_ACCOUNT.test(words.slice(Math.max(0, index - 64), start))) continue
    const kind = KINDS.find(([, test]) => test.test(label.trim()))?.[0] ?? 'reference'
    const candidate = reference(trimmed(text, match[0], start), start, kind, strong)
    if (candidate != null) found.push(candidate)
  }
  return found
}

const FIGURES_THEN_GROUP = /^(.*[A-Za-z\d]{5,})[ \t]{1,2}([\dA-Z]{1,2})$/u

/** Leaves off what is no part of a reference: a closing dot, or the day of a date that follows it. */
function trimmed(text: string, value: string, start: number): string {
  let result = value.replace(/[ \t/.–(-]+$/, '')
  const group = FIGURES_THEN_GROUP.exec(result)
  const after = text.slice(start + result.length, start + result.length + 12)
  if (group?.[1] != null && /^(?:[ \t]{0,2}(?:st|nd|rd|th)?[ \t]{1,2}\p{L}|[./]\d|[ \t]?x\b|[ \t]?%)/u.test(after))
    result = group[1]
  return result
}

function reference(value: string, start: number, kind: string, strong: boolean): Candidate | undefined {
  const figures = value.replace(/\D/g, '').length
  const compact = value.replace(/[\s.–-]/g, '')
  const least = strong ? (/[A-Z]/.test(value) ? 2 : 3) : 5
  if (figures < least || compact.length < 4 || value.length > 40) return undefined
  if (/^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}$/.test(value) && kind !== 'sort_code') return undefined
  if (/^\d{1,6}\.\d{2}$/.test(value) || /^[\d,.]{1,12}(?:k|m|p)$/i.test(value)) return undefined
  if (/[\p{Ll}]{3}/u.test(value) && !/\d{3}/.test(value)) return undefined
  // a phone number, a year or a sum is not a reference for standing behind "no" or "account"
  if (!strong && /^(?:19|20)\d{2}$/.test(compact)) return undefined
  const digits = digitsOf(value)
  if (kind === 'sort_code' && digits.length !== 6) return undefined
  if (kind === 'card' && digits.length < 12) return undefined
  const checked = checkedKind(value, kind)
  return {
    type: 'ACCOUNT',
    start,
    end: start + value.length,
    source: 'rule',
    // a card number whose check digit is wrong was misread, or is none
    confidence: checked != null ? 0.99 : kind === 'card' ? 0.6 : strong ? 0.965 : 0.9,
    kind: checked ?? kind,
    normalized: compact.toUpperCase()
  }
}

/** The kind that a check digit proves. */
function checkedKind(value: string, kind: string): string | undefined {
  const compact = value.replace(/[\s.–-]/g, '').toUpperCase()
  if (isIban(compact)) return 'iban'
  if (kind === 'utr' && isUtr(compact)) return 'utr'
  if (kind === 'mpan' && isMpan(compact.slice(-13))) return 'mpan'
  if (isCardNumber(compact)) return 'card'
  return undefined
}

const CARD = /(?<![\p{L}\d/-])[3-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,4}(?:[ -]?\d{1,3})?(?![\p{L}\d/-])/gu
const AMEX = /(?<![\p{L}\d/-])3[47]\d{2}[ -]?\d{6}[ -]?\d{5}(?![\p{L}\d/-])/gu
const IBAN = /(?<![\p{L}\d])[A-Z]{2}\d{2}[ ]?(?:[A-Z\d]{4}[ ]?){2,7}[A-Z\d]{1,4}(?![\p{L}\d])/gu
const BANK_DETAILS =
  /(?<![\p{L}\d/-])([\dOl]{2}[ -][\dOl]{2}[ -][\dOl]{2})[ \t,;:/|\n]{1,4}(?:(?:account|acc(?:oun)?t|a\/c|ac|acc)?\.?[ \t]{0,2}(?:no|number|num)?[.:]?[ \t]{0,3})?(\d{8})(?![\p{L}\d])/giu
const NUMBER_LIKE =
  /(?<![\p{L}\d£$€.,/@+-])(?=[A-Z]{0,6}[-/]?\d)(?:[A-Z\d]|(?<=\d)l(?=\d)){1,16}(?:[-/][A-Z\d]{1,12}){0,3}(?![\p{L}\d@%£-]|[.,/]\d)/gu

/** Numbers that show by themselves what they are: by a check digit, by their company, or by their length. */
function selfEvident(text: string): Candidate[] {
  const found: Candidate[] = []
  const add = (start: number, value: string, kind: string, confidence: number): void => {
    found.push({
      type: 'ACCOUNT',
      start,
      end: start + value.length,
      source: 'rule',
      confidence,
      kind,
      normalized: value.replace(/[\s-]/g, '')
    })
  }
  for (const pattern of [CARD, AMEX]) {
    for (const { 0: match, index } of text.matchAll(pattern))
      if (isCardNumber(match.replace(/[ -]/g, ''))) add(index, match, 'card', 0.97)
  }
  for (const { 0: match, index } of text.matchAll(IBAN)) if (isIban(match)) add(index, match, 'iban', 0.99)
  for (const { 0: match, 1: sortCode = '', 2: number = '', index } of text.matchAll(BANK_DETAILS)) {
    add(index, sortCode, 'sort_code', 0.97)
    add(index + match.length - number.length, number, 'account', 0.97)
  }
  for (const { 0: match, index } of text.matchAll(NUMBER_LIKE)) {
    const figures = match.replace(/\D/g, '').length
    if (NOT_AN_ACCOUNT.test(text.slice(Math.max(0, index - 64), index))) continue
    if (/^[A-Z]{2}\d{8}$/.test(match)) add(index, match, 'penalty_charge', 0.75)
    else if (/[A-Z]/.test(match) && figures >= 5 && match.length >= 7) add(index, match, 'reference', 0.65)
    else if (/^[\dlOI]{8,12}$/.test(match) && figures >= 6) add(index, match, 'reference', 0.55)
  }
  return found
}
