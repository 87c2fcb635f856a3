import { stemmer } from 'stemmer'

/** Words that say how a sentence is built rather than what it is about; left out of what is searched by terms. */
const STOP_WORDS = new Set(
  `a about above after again against all also am an and any are as at be because been before being below between both
  but by can cannot could d did do does doing done don didn doesn down during each few for from further get gets getting
  give go goes going got had has have having he her here hers herself him himself his how i if in into is isn it its
  itself just keep let like ll m make makes many may me might more most much must my myself no nor not now of off on once
  one only or other our ours ourselves out over own re really s same say says shall she should so some somebody someone
  something still such t take than that the their theirs them themselves then there these they thing things this those
  through to too under until up upon us ve very want wants was wasn we were weren what when where which while who whom
  why will with within without won would wasn yes yet you your yours yourself yourselves aren`.split(/\s+/)
)

/** Marks and apostrophes folded, lower case: `Café’s` becomes `cafe's`. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').replace(/[‘’ʼ]/g, "'").toLowerCase()
}

/** Everything one may search for, stemmed, in order: words, numbers, references such as `13a` or `cr0123`. */
export function searchStems(text: string): string[] {
  const words =
    fold(text)
      .replace(/'s\b/g, '')
      .match(/[\p{L}\p{N}]+/gu) ?? []
  return words.filter(word => !STOP_WORDS.has(word)).map(stem)
}

/** As {@link searchStems} with nothing left out, so that phrases can be matched in it. */
export function allStems(text: string): string[] {
  return (
    fold(text)
      .replace(/'s\b/g, '')
      .replace(/'/g, '')
      .match(/[\p{L}\p{N}£]+/gu) ?? []
  ).map(stem)
}

/** Longer than any word: the stemmer is not asked to read a line of base64. */
const LONGEST_WORD = 40
/** Stems remembered; a text repeats its words, and stemming is most of the work of indexing one. */
const REMEMBERED = 20_000
const remembered = new Map<string, string>()

function stem(word: string): string {
  if (word.length > LONGEST_WORD) return word.slice(0, LONGEST_WORD)
  const known = remembered.get(word)
  if (known != null) return known
  const stemmed = stemmer(word)
  if (remembered.size >= REMEMBERED) remembered.clear()
  remembered.set(word, stemmed)
  return stemmed
}
