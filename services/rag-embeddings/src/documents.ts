import { ServiceError } from '@hedgerow/service-kit'
import type { MaySee } from './data-class.ts'
import type { IndexUpkeep } from './index-upkeep.ts'
import type { Indexer } from './indexer.ts'
import { WAIT_FOR_VECTORS } from './limits.ts'
import { passagesOf } from './passages.ts'
import type { Database } from './store/database.ts'
import type { StoredDocument } from './store/document.ts'
import { wins } from './store/merge.ts'
import { type Hit, search } from './store/search.ts'
import type { Index, Store } from './store/store.ts'
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
  upkeep: IndexUpkeep
  clock: Clock
}

/** The documents held on this machine, indexed as they come and searched. Knows nothing of other instances. */
export class Documents {
  readonly #db: Database
  readonly #store: Store
  readonly #indexer: Indexer
  readonly #upkeep: IndexUpkeep
  readonly #clock: Clock

  constructor({ db, store, indexer, upkeep, clock }: DocumentsComponents) {
    this.#db = db
    this.#store = store
    this.#indexer = indexer
    this.#upkeep = upkeep
    this.#clock = clock
    const latest = store.latestVersion()
    if (latest != null) clock.observe(latest)
  }

  /**
   * Writes a new version, unless the same is there already: writing twice is writing once. It is on disk and found by
   * its terms when this returns, and by its meaning as far as a few seconds were enough for that.
   */
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
    if (present != null && sameContents(present, document)) return this.#store.getToSend(collection, id) ?? present
    const passages = passagesOf(text)
    // before all the work rather than after it
    this.#store.checkLimits(collection, document, passages.length)
    const vectors = await this.#indexer.embed(document, passages, 'write', AbortSignal.timeout(WAIT_FOR_VECTORS))
    this.#put(collection, document, await this.#indexer.index(document, passages, vectors))
    return this.#store.getToSend(collection, id) ?? document
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
    this.#store.put(collection, tombstone)
    return tombstone
  }

  /** Takes a version that was made elsewhere, unless a later one is there. Vectors that it lacks follow. */
  async take(collection: string, document: StoredDocument): Promise<boolean> {
    // a clock that is centuries ahead would leave the others no later version to write
    if (timeOf(document.version) > LATEST) {
      throw new ServiceError(422, 'VersionFromTheFuture', 'the version of this document is later than the year 2200')
    }
    this.#clock.observe(document.version)
    if (!wins(document.version, this.#store.get(collection, document.id)?.version)) return false
    if (document.deleted) return this.#store.put(collection, document)
    const passages = passagesOf(document.text)
    const vectors = this.#indexer.sent(document, passages.length)
    return this.#put(collection, document, await this.#indexer.index(document, passages, vectors))
  }

  async query(name: string, question: string, limit: number, maySee: MaySee): Promise<Hit[]> {
    const terms = [...new Set(this.#indexer.terms(question))]
    const vector = await this.#indexer.vector(question)
    const collection = this.#store.collection(name)
    if (collection == null) return []
    return search(this.#db, collection, this.#store.counts(name).passages, { terms, vector, limit, maySee })
  }

  #put(collection: string, document: StoredDocument, index: Index): boolean {
    const taken = this.#store.put(collection, document, index)
    if (index.passages.some(({ vector }) => vector == null)) this.#upkeep.wake()
    return taken
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
