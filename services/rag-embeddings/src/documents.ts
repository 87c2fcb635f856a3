import { ServiceError } from '@hedgerow/service-kit'
import type { Indexer } from './indexer.ts'
import type { Database } from './store/database.ts'
import type { StoredDocument } from './store/document.ts'
import { wins } from './store/merge.ts'
import { type Hit, search } from './store/search.ts'
import type { Store } from './store/store.ts'
import { type Clock, timeOf } from './store/version.ts'

const LATEST = Date.UTC(2200, 0)

export interface NewDocument {
  id: string
  text: string
  metadata: StoredDocument['metadata']
  data_class?: string | undefined
}

export interface DocumentsComponents {
  db: Database
  store: Store
  indexer: Indexer
  clock: Clock
}

/** The documents held on this machine, indexed as they come and searched. Knows nothing of other instances. */
export class Documents {
  readonly #db: Database
  readonly #store: Store
  readonly #indexer: Indexer
  readonly #clock: Clock

  constructor({ db, store, indexer, clock }: DocumentsComponents) {
    this.#db = db
    this.#store = store
    this.#indexer = indexer
    this.#clock = clock
    const latest = store.latestVersion()
    if (latest != null) clock.observe(latest)
  }

  /** Writes a new version, unless the same is there already: writing twice is writing once. */
  async write(collection: string, { id, text, metadata, data_class }: NewDocument): Promise<StoredDocument> {
    const present = this.#store.get(collection, id)
    const dataClass = data_class ?? present?.data_class
    const now = Date.now()
    const document: StoredDocument = {
      id,
      version: this.#clock.next(),
      deleted: false,
      text,
      metadata,
      ...(dataClass == null ? {} : { data_class: dataClass }),
      created_at: present?.deleted === false ? present.created_at : now,
      updated_at: now
    }
    if (present != null && sameContents(present, document)) return present
    await this.take(collection, document)
    return this.#store.get(collection, id) ?? document
  }

  /** Leaves a tombstone in the document's place; undefined when there is neither. */
  remove(collection: string, id: string): StoredDocument | undefined {
    const present = this.#store.get(collection, id)
    if (present == null || present.deleted) return present
    const tombstone: StoredDocument = {
      ...present,
      version: this.#clock.next(),
      deleted: true,
      text: '',
      metadata: {},
      updated_at: Date.now()
    }
    this.#store.put(collection, tombstone, [])
    return tombstone
  }

  /** Takes a version that was made here or elsewhere, unless a later one is there. */
  async take(collection: string, document: StoredDocument): Promise<boolean> {
    // a clock that is centuries ahead would leave the others no later version to write
    if (timeOf(document.version) > LATEST) {
      throw new ServiceError(422, 'VersionFromTheFuture', 'the version of this document is later than the year 2200')
    }
    this.#clock.observe(document.version)
    if (!wins(document.version, this.#store.get(collection, document.id)?.version)) return false
    return this.#store.put(collection, document, await this.#indexer.index(document))
  }

  query(name: string, question: string, limit: number): Hit[] {
    const collection = this.#store.collection(name)
    if (collection == null) return []
    const terms = [...new Set(this.#indexer.terms(question))]
    const query = { terms, vector: this.#indexer.vector(question), limit }
    return search(this.#db, collection, this.#store.counts(name).passages, query)
  }

  /** Indexes everything anew if it was indexed by another recipe, so that questions and passages stay comparable. */
  async keepIndexCurrent(): Promise<number> {
    const { recipe } = this.#indexer
    if (this.#store.meta('recipe') === recipe) return 0
    let count = 0
    for (const { name } of this.#store.collections()) {
      for (const id of this.#store.entries(name, '', Number.MAX_SAFE_INTEGER).keys()) {
        const document = this.#store.get(name, id)
        if (document == null || document.deleted) continue
        this.#store.reindex(name, id, await this.#indexer.index(document))
        count++
      }
    }
    this.#store.setMeta('recipe', recipe)
    return count
  }
}

function sameContents(a: StoredDocument, b: StoredDocument): boolean {
  return (
    a.deleted === b.deleted &&
    a.text === b.text &&
    a.data_class === b.data_class &&
    JSON.stringify(a.metadata) === JSON.stringify(b.metadata)
  )
}
