import { type Candidate, type Entity, resolve, SpanSet } from './entity.ts'
import { type Gazetteers, readGazetteers } from './gazetteer.ts'
import { decide, read, runs } from './names/leftover.ts'
import { organisations } from './names/organisations.ts'
import { persons } from './names/persons.ts'
import { places } from './names/places.ts'
import { accounts } from './rules/accounts.ts'
import { emails, ninos, phones, postcodes, urls } from './rules/contact.ts'
import { dates } from './rules/dates.ts'
import { amountAfterCreditor, bareAmounts, moneyInFigures, moneyInWords } from './rules/money.ts'
import { NameShape } from './shape.ts'
import { type Token, tokenize } from './tokens.ts'

/** characters that are read at once: bounds the time between two looks at the outside world */
const SEGMENT = 16_384

/** Finds entities. Made once; holds the lists, and nothing of the texts. */
export class Extractor {
  readonly #gazetteers: Gazetteers
  readonly #shape: NameShape

  constructor() {
    this.#gazetteers = readGazetteers()
    this.#shape = new NameShape()
  }

  get sizes(): { organisations: number; places: number } {
    return { organisations: this.#gazetteers.organisations.size, places: this.#gazetteers.places.size }
  }

  /** The entities of a whole text, in order, none overlapping another. */
  extract(text: string): Entity[] {
    return [...this.segments(text)].flat()
  }

  /** The same, a stretch of the text at a time, so that a long one leaves room for other work in between. */
  *segments(text: string): Generator<Entity[]> {
    for (let start = 0; start < text.length; ) {
      const end = endOfSegment(text, start)
      yield this.#extractFrom(text.slice(start, end)).map(candidate => ({
        ...candidate,
        confidence: Math.round(candidate.confidence * 100) / 100,
        start: candidate.start + start,
        end: candidate.end + start,
        text: text.slice(candidate.start + start, candidate.end + start)
      }))
      start = end
    }
  }

  #extractFrom(text: string): Candidate[] {
    const figures = this.#figures(text)
    const claimed = new SpanSet()
    for (const figure of figures) claimed.add(figure)
    for (const url of urls(text)) claimed.add(url)
    const names = this.#names(text, figures, claimed)
    const amounts = names
      .filter(({ type }) => type === 'ORG')
      .map(creditor => amountAfterCreditor(text, creditor))
      .filter(amount => amount != null)
    return resolve([...figures, ...names, ...amounts])
  }

  /** What has a form of its own: sums, dates, numbers, addresses of the post and the net. */
  #figures(text: string): Candidate[] {
    const masked = new SpanSet()
    for (const url of urls(text)) masked.add(url)
    const found = [
      ...emails(text),
      ...ninos(text),
      ...postcodes(text),
      ...phones(text),
      ...accounts(text),
      ...moneyInFigures(text),
      ...moneyInWords(text),
      ...bareAmounts(text),
      ...dates(text)
    ]
    return resolve(found.filter(candidate => candidate.type === 'EMAIL' || !masked.overlaps(candidate)))
  }

  #names(text: string, figures: Candidate[], claimed: SpanSet): Candidate[] {
    const tokens = tokenize(text, span => claimed.overlaps(span))
    const sure = resolve([
      ...organisations(text, tokens, this.#gazetteers),
      ...persons(text, tokens),
      ...places({
        text,
        tokens,
        gazetteers: this.#gazetteers,
        postcodes: figures.filter(({ type }) => type === 'POSTCODE')
      })
    ])
    const settled = new SpanSet()
    const weak: Candidate[] = []
    for (const candidate of sure) {
      if (candidate.confidence >= 0.65) settled.add(candidate)
      else weak.push(candidate)
    }
    const left = withoutSpans(text, tokens, settled)
    return [...sure.filter(candidate => settled.overlaps(candidate)), ...this.#leftover(text, left, weak)]
  }

  #leftover(text: string, tokens: Token[], weak: Candidate[]): Candidate[] {
    const found: Candidate[] = []
    for (const run of runs(tokens)) {
      const [head, tail] = [tokens[run.first], tokens[run.last]]
      if (head == null || tail == null) continue
      const reading = read(text, tokens, run, this.#shape)
      for (const { type, start, end, confidence } of weak) {
        if (start >= tail.end || end <= head.start) continue
        // "Falmouth Shipyard": a town that is part of a longer name speaks for an organisation
        if (type === 'PLACE' && (start > head.start || end < tail.stemEnd)) reading.ORG += 1
        else if (type === 'PERSON' || type === 'ORG' || type === 'PLACE') reading[type] += confidence * 2
      }
      const decided = decide(tokens, run, reading)
      if (decided != null) found.push(decided)
    }
    return found
  }
}

/** The words outside some spans, with the gaps between them as wide as they are then. */
function withoutSpans(text: string, tokens: Token[], spans: SpanSet): Token[] {
  const left = tokens.filter(token => !spans.overlaps(token))
  return left.map((token, i) => ({ ...token, gap: text.slice(left[i - 1]?.end ?? 0, token.start) }))
}

/** Ends a stretch where a reader would pause: at a paragraph, a line, a sentence, a space. */
function endOfSegment(text: string, start: number): number {
  const limit = start + SEGMENT
  if (limit >= text.length) return text.length
  const least = start + SEGMENT / 2
  for (const pause of ['\n\n', '\n', '. ', ' ']) {
    const at = text.lastIndexOf(pause, limit - pause.length)
    if (at >= least) return at + pause.length
  }
  // within one endless word any place is as good, but not between the halves of a character
  const code = text.charCodeAt(limit - 1)
  return code >= 0xd800 && code <= 0xdbff ? limit - 1 : limit
}
