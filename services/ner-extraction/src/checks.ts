/** Check digits and validity rules of the numbers that debts carry. */

/** Luhn's check, for payment cards of 13 to 19 digits that begin with 3 to 6. */
export function isCardNumber(digits: string): boolean {
  if (!/^[3-6]\d{12,18}$/.test(digits) || /^(\d)\1+$/.test(digits)) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** ISO 7064 mod 97-10 over an IBAN without spaces. */
export function isIban(iban: string): boolean {
  const compact = iban.replace(/\s/g, '').toUpperCase()
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(compact)) return false
  if (compact.startsWith('GB') && compact.length !== 22) return false
  let remainder = 0
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder === 1
}

const UTR_WEIGHTS = [6, 7, 8, 9, 10, 5, 4, 3, 2]

/** HMRC's Unique Taxpayer Reference: the first of ten digits checks the other nine. */
export function isUtr(digits: string): boolean {
  if (!/^\d{10}$/.test(digits)) return false
  const sum = UTR_WEIGHTS.reduce((total, weight, i) => total + weight * Number(digits[i + 1]), 0)
  return '21987654321'[sum % 11] === digits[0]
}

const MPAN_WEIGHTS = [3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43]

/** The core of an electricity meter point number: 13 digits, the last a check. */
export function isMpan(digits: string): boolean {
  if (!/^\d{13}$/.test(digits)) return false
  const sum = MPAN_WEIGHTS.reduce((total, weight, i) => total + weight * Number(digits[i]), 0)
  return (sum % 11) % 10 === Number(digits[12])
}

/** Prefixes that HMRC doesn't issue, beside the letters that the pattern leaves out. */
const NINO_UNUSED = new Set(['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ'])

/** A National Insurance number without spaces, in capitals; the suffix A to D may be missing. */
export function isNino(nino: string): boolean {
  return /^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]?$/.test(nino) && !NINO_UNUSED.has(nino.slice(0, 2))
}

/** Every postcode area of the Royal Mail, the Crown dependencies and BFPO included. */
const AREAS = new Set(
  (
    'AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX ' +
    'FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG ' +
    'NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW ' +
    'UB W WA WC WD WF WN WR WS WV YO ZE'
  ).split(' ')
)

/** A postcode in capitals, parted by one space. Only some letters end a district, as in W1A and EC1V. */
export function isPostcode(postcode: string): boolean {
  const parts = /^([A-Z]{1,2})(\d{1,2}|\d[A-HJKMNPR-Y]) \d[ABD-HJLNP-UW-Z]{2}$/.exec(postcode)
  return parts?.[1] != null && AREAS.has(parts[1])
}

/** National numbers that Ofcom's plan allows: 01, 02, 03, 055, 056, 07, 08 (and 09), of their lengths. */
export function isUkPhone(digits: string): boolean {
  if (/^(?:0800|08001111)\d{0,3}$/.test(digits) && digits.length < 10) return digits === '08001111'
  if (/^0(?:1\d{8,9}|2[0348]\d{8}|20\d{8}|3[0347]\d{8}|5[56]\d{8}|7[1-57-9]\d{8}|76\d{8}|70\d{8})$/.test(digits))
    return true
  return /^0(?:800\d{6,7}|808\d{7}|84[2-5]\d{7}|87[0-3]\d{7}|9\d{9})$/.test(digits)
}
