const MARKS = /\p{M}/gu
const OUTSIDE_ASCII = /[^\p{ASCII}]/u
/** letters that Unicode doesn't decompose */
const UNDECOMPOSED: Record<string, string> = {
  ł: 'l',
  ø: 'o',
  đ: 'd',
  ı: 'i',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ə: 'e',
  ð: 'd'
}

/** Lower case without accents, apostrophes and dots: the form in which words are compared. */
export function fold(word: string): string {
  let folded = word.toLowerCase()
  if (OUTSIDE_ASCII.test(folded)) {
    folded = folded
      .normalize('NFD')
      .replace(MARKS, '')
      .replace(/[łøđıßæœəð]/g, letter => UNDECOMPOSED[letter] ?? letter)
  }
  return folded.replace(/['’‘.`´]/g, '')
}

/**
 * Folds together what optical character recognition confuses: 0 and o, 1 and l and i, 5 and s, 8 and b, rn and m, cl and
 * d, vv and w. Two spellings with one skeleton are taken for the same word.
 */
export function skeleton(folded: string): string {
  return folded
    .replace(/0/g, 'o')
    .replace(/[1i|!]/g, 'l')
    .replace(/5/g, 's')
    .replace(/8/g, 'b')
    .replace(/rn/g, 'm')
    .replace(/cl/g, 'd')
    .replace(/vv/g, 'w')
}

const WORD_WITH_DIGITS = /(?<![\p{L}\d])(?=[\p{L}]{0,24}[\d])(?=[\d]{0,3}\p{L})[\p{L}\d]{2,24}(?![\p{L}\d])/gu
const LETTER_FOR: Record<string, string> = { '0': 'o', '1': 'l', '5': 's', '8': 'b' }

/**
 * The text with digits that stand for letters inside words put right (`Acc0unt`, `P1ease`), of the same length, so that
 * offsets hold. Only for looking at words: values are read from the text as it came.
 */
export function denoise(text: string): string {
  return text.replace(WORD_WITH_DIGITS, word => {
    const digits = word.replace(/\D/g, '')
    if (word.length - digits.length <= digits.length || /[^0158]/.test(digits)) return word
    return word.replace(/[0158]/g, digit => LETTER_FOR[digit] ?? digit)
  })
}

/** A number as recognition may have read it: letters that look like digits become them. */
export function digitsOf(text: string): string {
  return text
    .replace(/[Oo]/g, '0')
    .replace(/[lIi|]/g, '1')
    .replace(/\D/g, '')
}
