import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import type { MaySee } from '../data-class.ts'
import type { Database } from './database.ts'
import { Metadata } from './document.ts'
import { integer, type Row, real, text } from './rows.ts'
import type { Collection } from './store.ts'

export interface SearchQuery {
  /** search terms, each once */
  terms: readonly string[]
  vector: Float32Array
  limit: number
  /** whose passages are left out */
  maySee: MaySee
}

export interface Hit {
  text: string
  heading: string
  document_id: string
  metadata: Static<typeof Metadata>
  data_class?: string
  /** 0 to 1 */
  score: number
  /** what it is made of, 0 to 1 each: nearness of meaning (0 while it isn't known), and the share of the question's terms found, by weight */
  scores: { vector: number; terms: number }
}

/** Candidates by nearness of meaning and by terms; the hits are taken from both. */
const NEAREST = 100
const BEST_BY_TERMS = 25
/** A longer question is cut: each term costs a lookup. */
const MAX_TERMS = 64
/** In a collection of this many passages, terms that more than a fifth of them have cost much and tell little. */
const LARGE = 2000
const COMMON = 1 / 5
/** FTS5's bm25() has k1 = 1.2, so a term that a passage is all about counts k1 + 1 times its weight. */
const BM25_MOST = 2.2
/** Terms against meaning: measured best on the development questions. */
const TERMS_WEIGHT = 0.5
/** FTS5 gives this weight to a term that more than half of the passages have. */
const LEAST_WEIGHT = 1e-6

/**
 * Passages by meaning and by terms together.
 *
 * The two are fused by score and not by rank, with BM25 put in proportion to what the question could reach: by rank, a
 * passage which shares nothing but "month" with the question counts as much as the nearest in meaning, and on
 * paraphrased questions that made the fusion worse than the vectors alone (see the README's table).
 */
export function search(db: Database, collection: Collection, passages: number, query: SearchQuery): Hit[] {
  const byMeaning = nearest(db, collection, query)
  const terms = query.terms.slice(0, MAX_TERMS)
  const byTerms = termScores(db, collection, passages, terms, Math.max(BEST_BY_TERMS, query.limit))
  const scored = [...new Set([...byMeaning.keys(), ...byTerms.keys()])].map(passage => {
    const scores = {
      vector: byMeaning.get(passage) ?? nearness(db, collection, passage, query.vector),
      terms: byTerms.get(passage) ?? 0
    }
    return { passage, scores, score: (scores.vector + TERMS_WEIGHT * scores.terms) / (1 + TERMS_WEIGHT) }
  })
  const hits: Hit[] = []
  for (const { passage, score, scores } of scored.sort((a, b) => b.score - a.score || a.passage - b.passage)) {
    if (hits.length >= query.limit) break
    hits.push(...hit(db, passage, score, scores).filter(({ data_class }) => query.maySee(data_class)))
  }
  return hits
}

/** Passages nearest in meaning, with their nearness. */
export function nearest(
  db: Database,
  { number }: Collection,
  { vector, limit }: Pick<SearchQuery, 'vector' | 'limit'>
): Map<number, number> {
  if (vector.every(x => x === 0)) return new Map()
  const rows = db
    .prepare(`select rowid, distance from vectors_${number} where vector match ? and k = ?`)
    .all(vector, Math.max(NEAREST, limit))
  return new Map(rows.map(row => [integer(row, 'rowid'), toNearness(row)]))
}

function nearness(db: Database, { number }: Collection, passage: number, vector: Float32Array): number {
  const row = db
    .prepare(`select vec_distance_cosine(vector, ?) as distance from vectors_${number} where rowid = ?`)
    .get(vector, passage)
  return row == null ? 0 : toNearness(row)
}

/** Cosine distance is 0 to 2, and null where one of the vectors is all zeros. */
function toNearness(row: Row): number {
  return row.distance == null ? 0 : Math.min(1, Math.max(0, 1 - real(row, 'distance')))
}

/** Passages with any of the terms, with the share of the terms that they have, by weight. */
export function termScores(
  db: Database,
  { number }: Collection,
  passages: number,
  terms: readonly string[],
  limit: number
): Map<number, number> {
  const known = new Map<string, number>()
  const common = new Set<string>()
  for (const term of terms) {
    const row = db.prepare(`select doc from terms_${number}_words where term = ?`).get(term)
    if (row == null) continue
    const holding = integer(row, 'doc')
    if (passages > LARGE && holding > passages * COMMON) common.add(term)
    else known.set(term, holding)
  }
  if (known.size === 0) return new Map()
  const weight = (holding: number): number =>
    Math.max(LEAST_WEIGHT, Math.log((passages - holding + 0.5) / (holding + 0.5)))
  // a word which no passage has counts as missed; an idea which none has doesn't: its words do already
  const most = terms
    .filter(term => known.has(term) || !(common.has(term) || isIdeaTerm(term)))
    .reduce((sum, term) => sum + weight(known.get(term) ?? 0), 0)
  const rows = db
    .prepare(
      `select rowid, bm25(terms_${number}) as bm25 from terms_${number} where terms match ? order by bm25 limit ?`
    )
    .all([...known.keys()].map(term => `"${term}"`).join(' OR '), limit)
  return new Map(rows.map(row => [integer(row, 'rowid'), Math.min(1, -real(row, 'bm25') / (most * BM25_MOST))]))
}

const IDEA_TERM = /^idea0x\d+$/

/** The search term for an idea; it looks like no word. */
export function ideaTerm(idea: number): string {
  return `idea0x${idea}`
}

function isIdeaTerm(term: string): boolean {
  return IDEA_TERM.test(term)
}

function hit(db: Database, passage: number, score: number, scores: Hit['scores']): Hit[] {
  const row = db
    .prepare(
      `select passages.text, heading, id, metadata, data_class
       from passages join documents on document = documents.number where passages.number = ?`
    )
    .get(passage)
  if (row == null) return []
  return [
    {
      text: text(row, 'text'),
      score,
      document_id: text(row, 'id'),
      metadata: Value.Parse(Metadata, JSON.parse(text(row, 'metadata'))),
      heading: text(row, 'heading'),
      ...(row.data_class == null ? {} : { data_class: text(row, 'data_class') }),
      scores
    }
  ]
}
