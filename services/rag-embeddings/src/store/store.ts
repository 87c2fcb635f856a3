import { createHash, randomUUID } from 'node:crypto'
import { ServiceError } from '@hedgerow/service-kit'
import { Value } from 'typebox/value'
import { MAX_COLLECTIONS, MAX_DOCUMENTS_PER_COLLECTION, MAX_PASSAGES_PER_COLLECTION } from '../limits.ts'
import type { Database } from './database.ts'
import { type IndexedPassage, Metadata, type StoredDocument } from './document.ts'
import { type Entry, wins } from './merge.ts'
import { integer, optionalText, type Row, text } from './rows.ts'
import { timeOf, type Version } from './version.ts'

export interface Collection {
  /** distinct in this file; its search tables carry it in their names */
  number: number
  name: string
  incarnation: string
  /** false while a new copy is still being filled from another holder */
  complete: boolean
}

export interface CollectionCounts {
  documents: number
  passages: number
  tombstones: number
}

/** The documents of the collections that this instance holds. Synchronous throughout: a method is one point in time. */
export class Store {
  readonly #db: Database
  readonly #dimensions: number
  readonly #digests = new Map<string, string>()

  /** @param dimensions of the passages' vectors */
  constructor(db: Database, dimensions: number) {
    this.#db = db
    this.#dimensions = dimensions
  }

  collections(): Collection[] {
    return this.#db.prepare('select * from collections order by name').all().map(toCollection)
  }

  collection(name: string): Collection | undefined {
    const row = this.#db.prepare('select * from collections where name = ?').get(name)
    return row == null ? undefined : toCollection(row)
  }

  /** The collection with this name, made empty if it isn't there. */
  ensureCollection(name: string, { complete }: { complete: boolean }): Collection {
    const present = this.collection(name)
    if (present != null) return present
    if (this.collections().length >= MAX_COLLECTIONS) {
      throw new ServiceError(507, 'TooManyCollections', `this instance holds ${MAX_COLLECTIONS} collections at most`)
    }
    return this.#db.transaction(() => {
      this.#db
        .prepare('insert into collections (name, incarnation, complete) values (?, ?, ?)')
        .run(name, randomUUID(), complete ? 1 : 0)
      const made = this.#require(name)
      this.#db.exec(
        `create virtual table terms_${made.number} using fts5 (terms, content = '', contentless_delete = 1, tokenize = 'unicode61');
         create virtual table terms_${made.number}_words using fts5vocab (terms_${made.number}, row);
         create virtual table vectors_${made.number} using vec0 (vector float[${this.#dimensions}] distance_metric = cosine)`
      )
      return made
    })
  }

  markComplete(name: string): void {
    this.#db.prepare('update collections set complete = 1 where name = ?').run(name)
  }

  dropCollection(name: string): void {
    const collection = this.collection(name)
    if (collection == null) return
    const { number } = collection
    for (const table of [`terms_${number}`, `vectors_${number}`]) this.#db.release(table)
    this.#db.transaction(() => {
      this.#db.exec(`drop table terms_${number}_words; drop table terms_${number}; drop table vectors_${number}`)
      this.#db
        .prepare('delete from passages where document in (select number from documents where collection = ?)')
        .run(number)
      this.#db.prepare('delete from documents where collection = ?').run(number)
      this.#db.prepare('delete from copies where collection = ?').run(number)
      this.#db.prepare('delete from collections where number = ?').run(number)
    })
    this.#digests.delete(name)
  }

  /**
   * Takes a version of a document, with the passages of its text, unless a later one is there.
   *
   * @returns whether it was taken
   */
  put(name: string, document: StoredDocument, passages: readonly IndexedPassage[]): boolean {
    const collection = this.#require(name)
    const present = this.#db
      .prepare('select number, version from documents where collection = ? and id = ?')
      .get(collection.number, document.id)
    if (!wins(document.version, present == null ? undefined : text(present, 'version'))) return false
    if (!document.deleted) this.#checkLimits(collection, document, passages, present != null)
    this.#db.transaction(() => {
      if (present != null) this.#removePassages(collection, integer(present, 'number'))
      this.#db
        .prepare(
          `insert into documents
             (collection, id, version, deleted, passages, text, metadata, data_class, created_at, updated_at)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           on conflict (collection, id) do update set version = excluded.version, deleted = excluded.deleted,
             passages = excluded.passages, text = excluded.text, metadata = excluded.metadata,
             data_class = excluded.data_class, created_at = excluded.created_at, updated_at = excluded.updated_at`
        )
        .run(
          collection.number,
          document.id,
          document.version,
          document.deleted ? 1 : 0,
          passages.length,
          document.text,
          JSON.stringify(document.metadata),
          document.data_class ?? null,
          document.created_at,
          document.updated_at
        )
      this.#addPassages(collection, document.id, passages)
    })
    this.#digests.delete(name)
    return true
  }

  get(name: string, id: string): StoredDocument | undefined {
    const row = this.#db
      .prepare(
        'select documents.* from documents join collections on collection = collections.number where name = ? and id = ?'
      )
      .get(name, id)
    return row == null ? undefined : toDocument(row)
  }

  /** Documents in the order of their ids, without tombstones, with the number of their passages. */
  list(name: string, after: string, limit: number): { document: StoredDocument; passages: number }[] {
    return this.#db
      .prepare(
        `select documents.* from documents join collections on collection = collections.number
         where name = ? and id > ? and not deleted order by id limit ?`
      )
      .all(name, after, limit)
      .map(row => ({ document: toDocument(row), passages: integer(row, 'passages') }))
  }

  /** Versions of documents and tombstones in the order of their ids. */
  entries(name: string, after: string, limit: number): Map<string, Entry> {
    const rows = this.#db
      .prepare(
        `select id, version, deleted, data_class from documents join collections on collection = collections.number
         where name = ? and id > ? order by id limit ?`
      )
      .all(name, after, limit)
    return new Map(
      rows.map(row => [
        text(row, 'id'),
        {
          version: text(row, 'version'),
          deleted: integer(row, 'deleted') === 1,
          data_class: optionalText(row, 'data_class')
        }
      ])
    )
  }

  /** Equal exactly when two copies hold the same versions of the same documents. */
  digest(name: string): string {
    const known = this.#digests.get(name)
    if (known != null) return known
    const hash = createHash('sha256')
    for (const [id, { version }] of this.entries(name, '', Number.MAX_SAFE_INTEGER)) hash.update(`${id} ${version}\n`)
    const digest = hash.digest('hex')
    this.#digests.set(name, digest)
    return digest
  }

  latestVersion(): Version | undefined {
    return optionalText(this.#db.prepare('select max(version) as latest from documents').get() ?? {}, 'latest')
  }

  /** Removes every trace of a document; only for what other holders have forgotten too. */
  forget(name: string, id: string): void {
    const collection = this.#require(name)
    const row = this.#db
      .prepare('select number from documents where collection = ? and id = ?')
      .get(collection.number, id)
    if (row == null) return
    this.#db.transaction(() => {
      this.#removePassages(collection, integer(row, 'number'))
      this.#db.prepare('delete from documents where number = ?').run(integer(row, 'number'))
    })
    this.#digests.delete(name)
  }

  /** Forgets the tombstones made before this time, in milliseconds since 1970. */
  forgetTombstones(before: number): number {
    let forgotten = 0
    for (const { name, number } of this.collections()) {
      const rows = this.#db.prepare('select id, version from documents where collection = ? and deleted').all(number)
      for (const row of rows) {
        if (timeOf(text(row, 'version')) >= before) continue
        this.forget(name, text(row, 'id'))
        forgotten++
      }
    }
    return forgotten
  }

  counts(name: string): CollectionCounts {
    const { number } = this.#require(name)
    const row = this.#db
      .prepare(
        `select count(*) filter (where deleted = 0) as documents, count(*) filter (where deleted = 1) as tombstones,
           coalesce(sum(passages), 0) as passages
         from documents where collection = ?`
      )
      .get(number)
    return {
      documents: integer(row ?? {}, 'documents'),
      passages: integer(row ?? {}, 'passages'),
      tombstones: integer(row ?? {}, 'tombstones')
    }
  }

  meta(key: string): string | undefined {
    return optionalText(this.#db.prepare('select value from meta where key = ?').get(key) ?? {}, 'value')
  }

  setMeta(key: string, value: string): void {
    this.#db
      .prepare('insert into meta (key, value) values (?, ?) on conflict do update set value = excluded.value')
      .run(key, value)
  }

  /** Replaces the passages of a document, whose text stays; for an index of another recipe. */
  reindex(name: string, id: string, passages: readonly IndexedPassage[]): void {
    const collection = this.#require(name)
    const row = this.#db
      .prepare('select number from documents where collection = ? and id = ?')
      .get(collection.number, id)
    if (row == null) return
    this.#db.transaction(() => {
      this.#removePassages(collection, integer(row, 'number'))
      this.#addPassages(collection, id, passages)
      this.#db
        .prepare('update documents set passages = ? where number = ?')
        .run(passages.length, integer(row, 'number'))
    })
  }

  #require(name: string): Collection {
    const collection = this.collection(name)
    if (collection == null) throw new ServiceError(404, 'NoSuchCollection', `no collection ${name} is held here`)
    return collection
  }

  #checkLimits(
    { name }: Collection,
    document: StoredDocument,
    passages: readonly IndexedPassage[],
    replaces: boolean
  ): void {
    const counts = this.counts(name)
    if (!replaces && counts.documents >= MAX_DOCUMENTS_PER_COLLECTION) {
      throw new ServiceError(
        507,
        'CollectionFull',
        `a collection has ${MAX_DOCUMENTS_PER_COLLECTION} documents at most`
      )
    }
    if (counts.passages + passages.length > MAX_PASSAGES_PER_COLLECTION) {
      throw new ServiceError(507, 'CollectionFull', `a collection has ${MAX_PASSAGES_PER_COLLECTION} passages at most`)
    }
    this.#db.checkRoom(document.text.length * 2 + passages.length * this.#dimensions * 4)
  }

  #removePassages({ number }: Collection, document: number): void {
    const rows = this.#db.prepare('select number from passages where document = ?').all(document)
    const fromTerms = this.#db.prepare(`delete from terms_${number} where rowid = ?`)
    const fromVectors = this.#db.prepare(`delete from vectors_${number} where rowid = ?`)
    for (const row of rows) {
      fromTerms.run(integer(row, 'number'))
      fromVectors.run(integer(row, 'number'))
    }
    this.#db.prepare('delete from passages where document = ?').run(document)
  }

  #addPassages({ number }: Collection, id: string, passages: readonly IndexedPassage[]): void {
    const passage = this.#db.prepare(
      `insert into passages (document, heading, text)
       values ((select number from documents where collection = ? and id = ?), ?, ?)`
    )
    const terms = this.#db.prepare(`insert into terms_${number} (rowid, terms) values (?, ?)`)
    const vector = this.#db.prepare(`insert into vectors_${number} (rowid, vector) values (?, ?)`)
    for (const each of passages) {
      const { lastInsertRowid } = passage.run(number, id, each.heading, each.text)
      terms.run(lastInsertRowid, each.terms)
      // vec0 takes a rowid only as an integer, which a BigInt is and a JavaScript number isn't
      vector.run(BigInt(lastInsertRowid), each.vector)
    }
  }
}

function toCollection(row: Row): Collection {
  return {
    number: integer(row, 'number'),
    name: text(row, 'name'),
    incarnation: text(row, 'incarnation'),
    complete: integer(row, 'complete') === 1
  }
}

function toDocument(row: Row): StoredDocument {
  const dataClass = optionalText(row, 'data_class')
  return {
    id: text(row, 'id'),
    version: text(row, 'version'),
    deleted: integer(row, 'deleted') === 1,
    text: text(row, 'text'),
    metadata: Value.Parse(Metadata, JSON.parse(text(row, 'metadata'))),
    ...(dataClass == null ? {} : { data_class: dataClass }),
    created_at: integer(row, 'created_at'),
    updated_at: integer(row, 'updated_at')
  }
}
