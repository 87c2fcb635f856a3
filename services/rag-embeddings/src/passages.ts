/**
 * Cuts a text into passages: pieces small enough to be about one thing and large enough to be read on their own. A
 * passage ends where a section, a paragraph or at least a sentence does, and begins with the last sentence of the one
 * before it in the same section, so that what stands across a cut is still found.
 */
export interface Passage {
  text: string
  /** the headings it stands under, outermost first, joined by " > "; empty without headings */
  heading: string
}

/** Characters: about 100 words, as long as the texts that the sentence encoder was trained on. */
const TARGET_LENGTH = 600
/** Characters; what has no sentence end for so long is cut at a space, or in the middle of a word if need be. */
const MAX_SENTENCE = 600
/** Characters; a longer last sentence isn't repeated. */
const MAX_OVERLAP = 250
/** Headings deeper than this are text */
const HEADING = /^(#{1,6})\s+(.+?)\s*#*$/

export function passagesOf(text: string): Passage[] {
  return sectionsOf(text).flatMap(({ heading, body }) =>
    cut(sentencesOf(body)).map(piece => ({ heading, text: piece }))
  )
}

interface Section {
  heading: string
  body: string
}

function sectionsOf(text: string): Section[] {
  const sections: Section[] = []
  const path: { level: number; title: string }[] = []
  let lines: string[] = []
  const close = (): void => {
    const body = lines.join('\n').trim()
    if (body !== '') sections.push({ heading: path.map(({ title }) => title).join(' > '), body })
    lines = []
  }
  let fenced = false
  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced
    const match = fenced || line.length > 200 ? null : HEADING.exec(line)
    const [, marks, title] = match ?? []
    if (marks == null || title == null) {
      lines.push(line)
      continue
    }
    close()
    while ((path.at(-1)?.level ?? 0) >= marks.length) path.pop()
    path.push({ level: marks.length, title })
  }
  close()
  if (sections.length === 0 && path.length > 0)
    return [{ heading: '', body: path.map(({ title }) => title).join('\n') }]
  return sections
}

/** Sentences, list items and table rows with what separates them from the next; together they are the body again. */
function sentencesOf(body: string): string[] {
  return body
    .split(/(?<=\n)(?=\s*(?:[-*+•|]|\d{1,2}[.)])\s)|(?<=\n\s*\n)/)
    .flatMap(block => block.split(/(?<=[.!?]["'”’)\]]*\s)(?=["'“‘([*_]*[\p{Lu}\d£])/u))
    .reduce<string[]>(joinAbbreviations, [])
    .flatMap(hardCut)
}

/** A full stop after one of these, or after an initial, ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:\p{Lu}|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Ltd|Co|vs?|e\.g|i\.e|etc|approx|para|s|reg|Art)\.\s*$/u

function joinAbbreviations(sentences: string[], next: string): string[] {
  const last = sentences.at(-1)
  if (last != null && last.length < MAX_SENTENCE && ABBREVIATION.test(last.slice(-12)))
    sentences[sentences.length - 1] = last + next
  else sentences.push(next)
  return sentences
}

function hardCut(sentence: string): string[] {
  const pieces: string[] = []
  let rest = sentence
  while (rest.length > MAX_SENTENCE) {
    const space = rest.lastIndexOf(' ', MAX_SENTENCE)
    let end = space > MAX_SENTENCE / 2 ? space + 1 : MAX_SENTENCE
    // never between the halves of one character
    if (/[\uD800-\uDBFF]/.test(rest.charAt(end - 1))) end--
    pieces.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  pieces.push(rest)
  return pieces
}

function cut(sentences: readonly string[]): string[] {
  const pieces: string[] = []
  let current = ''
  let last = ''
  for (const sentence of sentences) {
    if (current !== '' && current.length + sentence.length > TARGET_LENGTH) {
      pieces.push(current)
      current = last.length <= MAX_OVERLAP ? last : ''
    }
    current += sentence
    last = sentence
  }
  pieces.push(current)
  return pieces.map(piece => piece.trim()).filter(piece => piece !== '')
}
