import { createHash, randomUUID } from 'node:crypto'
import { ServiceError } from '@hedgerow/service-kit'
import { Value } from 'typebox/value'
import {
  MAX_COLLECTIONS,
  MAX_DOCUMENTS_PER_COLLECTION,
  MAX_PASSAGES_PER_COLLECTION,
  maxSentVectors
} from '../limits.ts'
import type { Database } from './database.ts'
import { type IndexedPassage, Metadata, type StoredDocument } from './document.ts'
import { type Entry, wins } from './merge.ts'
import { PassageIndex, type PendingPassage, type VectorKind } from './passage-index.ts'
import { integer, optionalText, type Row, text } from './rows.ts'
import { packVectors } from './vectors.ts'
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
  /** passages that are found by their terms only, as yet */
  pending: number
}

/** A document's passages and the recipe by which they were cut and their terms taken. */
export interface Index {
  recipe: string
  passages: readonly IndexedPassage[]
}

const NO_INDEX: Index = { recipe: '', passages: [] }

/** The documents of the collections that this instance holds. Synchronous throughout: a method is one point in time. */
export class Store {
  readonly #db: Database
  readonly #passages: PassageIndex
  readonly #digests = new Map<string, string>()

  constructor(db: Database, vectors: VectorKind) {
    this.#db = db
    this.#passages = new PassageIndex(db, vectors)
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
      this.#passages.createTables(made.number)
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
      this.#passages.dropTables(number)
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
  put(name: string, document: StoredDocument, { recipe, passages }: Index = NO_INDEX): boolean {
    const collection = this.#require(name)
    const present = this.#db
      .prepare('select number, version from documents where collection = ? and id = ?')
      .get(collection.number, document.id)
    if (!wins(document.version, present == null ? undefined : text(present, 'version'))) return false
    if (!document.deleted) this.checkLimits(name, document, passages.length)
    this.#db.transaction(() => {
      if (present != null) this.#passages.remove(collection, integer(present, 'number'))
      const row = this.#db
        .prepare(
          `insert into documents
             (collection, id, version, deleted, passages, recipe, text, metadata, data_class, created_at, updated_at)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           on conflict (collection, id) do update set version = excluded.version, deleted = excluded.deleted,
             passages = excluded.passages, recipe = excluded.recipe, text = excluded.text, metadata = excluded.metadata,
             data_class = excluded.data_class, created_at = excluded.created_at, updated_at = excluded.updated_at
           returning number`
        )
        .get(
          collection.number,
          document.id,
          document.version,
          document.deleted ? 1 : 0,
          passages.length,
          recipe,
          document.text,
          JSON.stringify(document.metadata),
          document.data_class ?? null,
          document.created_at,
          document.updated_at
        )
      this.#passages.add(collection, integer(row ?? {}, 'number'), passages)
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

  /** As another instance gets it: with the vectors that are there. */
  getToSend(name: string, id: string): StoredDocument | undefined {
    const document = this.get(name, id)
    const collection = this.collection(name)
    if (document == null || collection == null) return document
    const row = this.#db
      .prepare('select number, recipe from documents where collection = ? and id = ?')
      .get(collection.number, id)
    const bytes = row == null ? undefined : packVectors(this.#passages.vectorsOf(collection, integer(row, 'number')))
    if (bytes == null || bytes.length > maxSentVectors(document.text.length)) return document
    return { ...document, vectors: { recipe: text(row ?? {}, 'recipe'), bytes } }
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
    const number = this.#numberOf(collection, id)
    if (number == null) return
    this.#db.transaction(() => {
      this.#passages.remove(collection, number)
      this.#db.prepare('delete from documents where number = ?').run(number)
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
      tombstones: integer(row ?? {}, 'tombstones'),
      pending: this.#pendingOf('collection', number)
    }
  }

  /** Passages of a document that are found by their terms only, as yet. */
  pendingOf(name: string, id: string): number {
    const number = this.#numberOf(this.#require(name), id)
    return number == null ? 0 : this.#pendingOf('documents.number', number)
  }

  meta(key: string): string | undefined {
    return optionalText(this.#db.prepare('select value from meta where key = ?').get(key) ?? {}, 'value')
  }

  setMeta(key: string, value: string): void {
    this.#db
      .prepare('insert into meta (key, value) values (?, ?) on conflict do update set value = excluded.value')
      .run(key, value)
  }

  /** A document that was indexed by another recipe than this one. */
  outdated(recipe: string): { collection: string; document: StoredDocument } | undefined {
    const row = this.#db
      .prepare(
        `select documents.*, name from documents join collections on collection = collections.number
         where recipe <> ? and not deleted limit 1`
      )
      .get(recipe)
    return row == null ? undefined : { collection: text(row, 'name'), document: toDocument(row) }
  }

  /** Replaces the passages of a document, whose text stays, unless it has another version by now. */
  reindex(name: string, { id, version }: StoredDocument, { recipe, passages }: Index): void {
    const collection = this.#require(name)
    const row = this.#db
      .prepare('select number from documents where collection = ? and id = ? and version = ?')
      .get(collection.number, id, version)
    if (row == null) return
    const number = integer(row, 'number')
    this.#db.transaction(() => {
      this.#passages.remove(collection, number)
      this.#passages.add(collection, number, passages)
      this.#db
        .prepare('update documents set passages = ?, recipe = ? where number = ?')
        .run(passages.length, recipe, number)
    })
  }

  pending(limit: number): PendingPassage[] {
    return this.#passages.pending(limit)
  }

  /** Gives pending passages their vectors, unless they are gone meanwhile. */
  fill(passages: readonly PendingPassage[], vectors: readonly Int8Array[]): void {
    this.#db.transaction(() => {
      for (const [i, vector] of vectors.entries()) {
        const passage = passages[i]
        if (passage != null) this.#passages.fill(passage, vector)
      }
    })
  }

  #require(name: string): Collection {
    const collection = this.collection(name)
    if (collection == null) throw new ServiceError(404, 'NoSuchCollection', `no collection ${name} is held here`)
    return collection
  }

  #numberOf({ number }: Collection, id: string): number | undefined {
    const row = this.#db.prepare('select number from documents where collection = ? and id = ?').get(number, id)
    return row == null ? undefined : integer(row, 'number')
  }

  #pendingOf(column: 'collection' | 'documents.number', number: number): number {
    const row = this.#db
      .prepare(
        `select count(*) as pending from passages join documents on document = documents.number
         where embedded = 0 and ${column} = ?`
      )
      .get(number)
    return integer(row ?? {}, 'pending')
  }

  /** @throws {ServiceError} 507 when there is no room for the document */
  checkLimits(name: string, document: Pick<StoredDocument, 'id' | 'text'>, passages: number): void {
    const replaces = this.#numberOf(this.#require(name), document.id) != null
    const counts = this.counts(name)
    if (!replaces && counts.documents >= MAX_DOCUMENTS_PER_COLLECTION) {
      throw new ServiceError(
        507,
        'CollectionFull',
        `a collection has ${MAX_DOCUMENTS_PER_COLLECTION} documents at most`
      )
    }
    if (counts.passages + passages > MAX_PASSAGES_PER_COLLECTION) {
      throw new ServiceError(507, 'CollectionFull', `a collection has ${MAX_PASSAGES_PER_COLLECTION} passages at most`)
    }
    this.#db.checkRoom(document.text.length * 2 + this.#passages.sizeOf(passages))
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
