import { isNino, isPostcode, isUkPhone } from '../checks.ts'
import type { Candidate } from '../entity.ts'
import { digitsOf } from '../fold.ts'

// Every quantifier here and in the other rules is bounded, and a pattern that could start anywhere within a run of its
// own characters is kept from it by a look-behind: time stays linear in the length of the text.

const EMAIL =
  /(?<![\p{L}\d._%+-])[\p{L}\d_%+'’-][\p{L}\d._%+'’-]{0,63}@(?:[\p{L}\d-]{1,63}\.){1,6}\p{L}[\p{L}\d-]{1,23}/gu
const URL = /(?<![\p{L}\d])(?:https?:\/\/|www\.)[^\s<>"]{1,400}/giu

export function emails(text: string): Candidate[] {
  return [...text.matchAll(EMAIL)].map(({ 0: match, index }) => ({
    type: 'EMAIL',
    start: index,
    end: index + match.length,
    source: 'rule',
    confidence: 0.99,
    normalized: match.toLowerCase()
  }))
}

/** Web addresses name no entity, but what stands in them must not be taken for one. */
export function urls(text: string): { start: number; end: number }[] {
  return [...text.matchAll(URL)].map(({ 0: match, index }) => ({ start: index, end: index + match.length }))
}

const POSTCODE = /(?<![\p{L}\d])([A-Za-z]{1,2}[\dOIl][A-Za-z\d]?)([ \t]{0,2})([\dOIlSB][A-Za-z]{2})(?![\p{L}\d])/gu

export function postcodes(text: string): Candidate[] {
  const found: Candidate[] = []
  for (const { 0: match, 1: outward = '', 2: gap = '', 3: inward = '', index } of text.matchAll(POSTCODE)) {
    const postcode = readPostcode(outward, inward)
    if (postcode == null) continue
    const exact = `${outward} ${inward}` === postcode
    // Without the gap, one in mixed letters is more likely something else.
    const lower = /^[a-z\d]+$/.test(outward + inward)
    if (!exact && gap === '' && `${outward}${inward}`.toUpperCase() !== postcode.replace(' ', '')) continue
    if (!exact && gap === '' && !lower && /[a-z]/.test(match)) continue
    if (outward !== outward.toUpperCase() && !/^[a-z\d]+$/.test(outward + inward) && !/[lO]/.test(outward)) continue
    found.push({
      type: 'POSTCODE',
      start: index,
      end: index + match.length,
      source: 'rule',
      confidence: exact ? 0.98 : 0.9,
      normalized: postcode
    })
  }
  return found
}

function readPostcode(outward: string, inward: string): string | undefined {
  const tail = digitsOf(inward.slice(0, 1).replace('S', '5').replace('B', '8')) + inward.slice(1).toUpperCase()
  // `LL13` may have been read as `LLl3`: what can be a digit is one, wherever the result is a postcode.
  const area = /^[A-Za-z]{1,2}?(?=[\dOIl])/.exec(outward)?.[0] ?? ''
  const wide = /^[A-Za-z]{2}(?=[\dOIl])/.exec(outward)?.[0] ?? area
  const readings = [outward, area + digitsOf(outward.slice(area.length)), wide + digitsOf(outward.slice(wide.length))]
  return readings.map(reading => `${reading.toUpperCase()} ${tail}`).find(isPostcode)
}

const NINO =
  /(?<![\p{L}\d])([A-Za-z]{2})[ -]{0,2}([\dOIl]{2})[ -]{0,2}([\dOIl]{2})[ -]{0,2}([\dOIl]{2})(?:[ -]{0,2}([A-Da-d]))?(?![\p{L}\d])/gu
const NINO_LABEL = /(?:\bn\.?[ ]?[il1]\b|nino|nat(?:ional)?\.? ins(?:urance)?)[^\n]{0,24}$/i

export function ninos(text: string): Candidate[] {
  const found: Candidate[] = []
  for (const { 0: match, 1: prefix = '', 2: a = '', 3: b = '', 4: c = '', 5: suffix = '', index } of text.matchAll(
    NINO
  )) {
    const digits = digitsOf(a + b + c)
    const nino = `${prefix}${digits}${suffix}`.toUpperCase()
    const labelled = NINO_LABEL.test(text.slice(Math.max(0, index - 40), index))
    const clean = digits === a + b + c && prefix === prefix.toUpperCase()
    if (!isNino(nino) || (!labelled && (suffix === '' || !clean))) continue
    found.push({
      type: 'NINO',
      start: index,
      end: index + match.length,
      source: 'rule',
      confidence: labelled ? 0.99 : 0.97,
      normalized: nino
    })
  }
  return found
}

/** a figure, or a letter beside one that recognition took for it */
const D = '(?:\\d|(?<=[\\dOIl])[OIl]|[OIl](?=[\\dOIl]))'
const PHONE = new RegExp(
  `(?<![\\p{L}\\d£$€.,-])(?:\\(?\\+44\\)?|\\(?0044\\)?|\\(?[0O])[ ().-]{0,2}(?:${D}[ ().-]{0,2}){7,10}${D}(?![\\p{L}\\d])` +
    '(?:,?\\s{0,2}(?:ext|extn|x)\\.?\\s?\\d{1,5}(?!\\d))?',
  'gu'
)
/** helplines with a short number of their own */
const HELPLINE = /(?<![\d\p{L}£.,/-])116[ ]?(?:000|006|111|117|123)(?![\d\p{L}]|[.,]\d)/gu
const FOREIGN_PHONE = /(?<![\p{L}\d£$€.,/-])\+(?!44)[1-9](?:[ ().-]{0,2}\d){7,13}(?!\d)/gu
const PHONE_LABEL =
  /(?:tel|te1|phone|mob|call|ring|number|contact|fax|home|work|on|text|whatsapp)\W{0,6}(?:no\.?|number)?\W{0,4}$/i

export function phones(text: string): Candidate[] {
  const found: Candidate[] = []
  for (const { 0: match, index } of text.matchAll(PHONE)) {
    const [body = '', extension] = match.split(/,?\s{0,2}(?:extn?|x)\.?\s?(?=\d)/)
    const digits = digitsOf(body.replace('(0)', '')).replace(/^(?:0044|44(?=\d{9,10}$))/, '0')
    if (!isUkPhone(digits) || (body.match(/\d/g) ?? []).length < 6) continue
    const labelled = PHONE_LABEL.test(text.slice(Math.max(0, index - 30), index))
    found.push({
      type: 'PHONE',
      start: index,
      end: index + match.length,
      source: 'rule',
      confidence: labelled ? 0.98 : 0.93,
      normalized: `+44${digits.slice(1)}${extension == null ? '' : `;ext=${extension}`}`
    })
  }
  for (const { 0: match, index } of text.matchAll(HELPLINE))
    found.push({
      type: 'PHONE',
      start: index,
      end: index + match.length,
      source: 'rule',
      confidence: 0.85,
      normalized: match.replace(' ', '')
    })
  for (const { 0: match, index } of text.matchAll(FOREIGN_PHONE)) {
    found.push({
      type: 'PHONE',
      start: index,
      end: index + match.length,
      source: 'rule',
      confidence: 0.9,
      normalized: `+${match.replace(/\D/g, '')}`
    })
  }
  return found
}
