import { readdirSync, readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Indexer } from '../src/indexer.ts'
import type { Database } from '../src/store/database.ts'
import { nearest, search, termScores } from '../src/store/search.ts'
import type { Store } from '../src/store/store.ts'

/** Paraphrased questions, each with the document that answers it, over a set of documents. */
const QuestionSet = Type.Object({
  documents: Type.Optional(Type.Array(Type.Object({ id: Type.String(), text: Type.String() }))),
  questions: Type.Array(Type.Object({ question: Type.String(), document: Type.String() }))
})
export type QuestionSet = Required<Static<typeof QuestionSet>>

const DATA = new URL('data/retrieval/', import.meta.url)
const MANUAL = new URL('../../../examples/data/manual/', import.meta.url)

export function readQuestions(name: string): QuestionSet {
  const { documents, questions } = Value.Parse(
    QuestionSet,
    JSON.parse(readFileSync(new URL(`${name}.json`, DATA), 'utf8'))
  )
  return { documents: documents ?? readManual(), questions }
}

/** The sample manual that ships as an example. */
export function readManual(): { id: string; text: string }[] {
  return readdirSync(MANUAL)
    .filter(file => file.endsWith('.md'))
    .map(file => ({ id: file.slice(0, -3), text: readFileSync(new URL(file, MANUAL), 'utf8') }))
}

/** Ranks documents for a question, best first. */
export type Ranking = (question: string) => string[] | Promise<string[]>

export interface Figures {
  questions: number
  /** questions whose document comes first, or among the first three */
  hit1: number
  hit3: number
  /** mean of 1 / the document's place */
  mrr: number
}

export async function measure(set: QuestionSet, rank: Ranking): Promise<Figures> {
  const places: number[] = []
  for (const { question, document } of set.questions) {
    places.push([...new Set(await rank(question))].indexOf(document) + 1)
  }
  const within = (most: number): number => places.filter(place => place > 0 && place <= most).length
  return {
    questions: places.length,
    hit1: within(1),
    hit3: within(3),
    mrr: places.reduce((sum, place) => sum + (place === 0 ? 0 : 1 / place), 0) / places.length
  }
}

export type Rankings = Record<'bm25' | 'terms' | 'vectors' | 'fused', Ranking>

/** The parts of the search one by one, on documents that are in the store. */
export function rankings(db: Database, store: Store, indexer: Indexer, name: string): Rankings {
  const collection = store.collection(name)
  if (collection == null) throw new Error(`no collection ${name}`)
  const { passages } = store.counts(name)
  const documentOf = (passage: number): string => {
    const row = db
      .prepare('select id from passages join documents on document = documents.number where passages.number = ?')
      .get(passage)
    return String(row?.id)
  }
  const ordered = (scores: Map<number, number>): string[] =>
    [...scores].sort((a, b) => b[1] - a[1]).map(([passage]) => documentOf(passage))
  const termsOf = (question: string): string[] => [...new Set(indexer.terms(question))]
  const words = (question: string): string[] => termsOf(question).filter(term => !term.startsWith('idea0x'))
  return {
    bm25: question => ordered(termScores(db, collection, passages, words(question), 50)),
    terms: question => ordered(termScores(db, collection, passages, termsOf(question), 50)),
    vectors: async question => ordered(nearest(db, collection, { vector: await indexer.vector(question), limit: 50 })),
    fused: async question =>
      search(db, collection, passages, {
        terms: termsOf(question),
        vector: await indexer.vector(question),
        limit: 50,
        maySee: () => true
      }).map(hit => hit.document_id)
  }
}
