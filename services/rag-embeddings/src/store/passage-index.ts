import type { Database } from './database.ts'
import type { IndexedPassage } from './document.ts'
import { integer, text } from './rows.ts'
import type { Collection } from './store.ts'

export interface VectorKind {
  /** changes whenever vectors of before can't be compared with those of now */
  model: string
  dimensions: number
}

/** A passage that waits for its vector. */
export interface PendingPassage {
  number: number
  collection: number
  document: number
  /** of the document, so that a vector isn't given to what has taken its place meanwhile */
  version: string
  title: string
  heading: string
  text: string
}

/**
 * The passages of documents and the tables they are found by, two for each collection. A passage may lack its vector
 * for a while; it is found by its terms until then.
 */
export class PassageIndex {
  readonly #db: Database
  readonly #vectors: VectorKind

  /** Vectors of another kind go; their passages wait for new ones. */
  constructor(db: Database, vectors: VectorKind) {
    this.#db = db
    this.#vectors = vectors
    const known = db.prepare("select value from meta where key = 'vectors'").get()
    if (known?.value !== vectors.model) this.#renewVectors()
  }

  createTables(collection: number): void {
    this.#db.exec(
      `create virtual table terms_${collection} using fts5 (terms, content = '', contentless_delete = 1, tokenize = 'unicode61');
       create virtual table terms_${collection}_words using fts5vocab (terms_${collection}, row)`
    )
    this.#createVectors(collection)
  }

  dropTables(collection: number): void {
    this.#db.exec(
      `drop table terms_${collection}_words; drop table terms_${collection}; drop table vectors_${collection}`
    )
  }

  /** Bytes on disk, about. */
  sizeOf(passages: number): number {
    return passages * this.#vectors.dimensions * 4
  }

  add({ number: collection }: Collection, document: number, passages: readonly IndexedPassage[]): void {
    const passage = this.#db.prepare('insert into passages (document, heading, text, embedded) values (?, ?, ?, ?)')
    const terms = this.#db.prepare(`insert into terms_${collection} (rowid, terms) values (?, ?)`)
    for (const each of passages) {
      const { lastInsertRowid } = passage.run(document, each.heading, each.text, each.vector == null ? 0 : 1)
      terms.run(lastInsertRowid, each.terms)
      if (each.vector != null) this.#addVector(collection, lastInsertRowid, each.vector)
    }
  }

  remove({ number: collection }: Collection, document: number): void {
    const rows = this.#db.prepare('select number from passages where document = ?').all(document)
    const fromTerms = this.#db.prepare(`delete from terms_${collection} where rowid = ?`)
    const fromVectors = this.#db.prepare(`delete from vectors_${collection} where rowid = ?`)
    for (const row of rows) {
      fromTerms.run(integer(row, 'number'))
      fromVectors.run(integer(row, 'number'))
    }
    this.#db.prepare('delete from passages where document = ?').run(document)
  }

  /** The vectors of a document's passages in their order, as they were added; undefined while one is pending. */
  vectorsOf({ number: collection }: Collection, document: number): (Int8Array | undefined)[] {
    return this.#db
      .prepare(
        `select vector from passages left join vectors_${collection} on rowid = passages.number
         where document = ? order by passages.number`
      )
      .all(document)
      .map(({ vector }) => {
        if (!(vector instanceof Uint8Array)) return undefined
        // a copy, because these bytes may begin anywhere in their memory and a Float32Array may not
        return Int8Array.from(new Float32Array(new Uint8Array(vector).buffer))
      })
  }

  /** Passages without a vector, the oldest first. */
  pending(limit: number): PendingPassage[] {
    return this.#db
      .prepare(
        `select passages.number, collection, document, version, heading, passages.text,
           case json_type(metadata, '$.title') when 'text' then metadata ->> '$.title' else '' end as title
         from passages join documents on document = documents.number
         where embedded = 0 order by passages.number limit ?`
      )
      .all(limit)
      .map(row => ({
        number: integer(row, 'number'),
        collection: integer(row, 'collection'),
        document: integer(row, 'document'),
        version: text(row, 'version'),
        title: text(row, 'title'),
        heading: text(row, 'heading'),
        text: text(row, 'text')
      }))
  }

  /** Gives a pending passage its vector, unless it is gone or another is in its place. */
  fill({ number, collection, document, version }: PendingPassage, vector: Int8Array): void {
    const { changes } = this.#db
      .prepare(
        `update passages set embedded = 1 where number = ? and document = ? and embedded = 0
           and exists (select 1 from documents where number = passages.document and version = ?)`
      )
      .run(number, document, version)
    if (changes === 1) this.#addVector(collection, number, vector)
  }

  #addVector(collection: number, passage: number | bigint, vector: Int8Array): void {
    // vec0 takes a rowid only as an integer, which a BigInt is and a JavaScript number isn't
    this.#db
      .prepare(`insert into vectors_${collection} (rowid, vector) values (?, ?)`)
      .run(BigInt(passage), Float32Array.from(vector))
  }

  #createVectors(collection: number): void {
    // float, though the numbers are small integers: vec0 compares those faster
    this.#db.exec(
      `create virtual table vectors_${collection} using vec0 (vector float[${this.#vectors.dimensions}] distance_metric = cosine)`
    )
  }

  #renewVectors(): void {
    this.#db.transaction(() => {
      for (const row of this.#db.prepare('select number from collections').all()) {
        const collection = integer(row, 'number')
        this.#db.release(`vectors_${collection}`)
        this.#db.exec(`drop table vectors_${collection}`)
        this.#createVectors(collection)
      }
      this.#db.exec('update passages set embedded = 0')
      this.#db
        .prepare("insert into meta (key, value) values ('vectors', ?) on conflict do update set value = excluded.value")
        .run(this.#vectors.model)
    })
  }
}
