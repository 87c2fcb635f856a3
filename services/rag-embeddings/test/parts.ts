import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Documents } from '../src/documents.ts'
import { IndexUpkeep } from '../src/index-upkeep.ts'
import { Indexer } from '../src/indexer.ts'
import { Embedder } from '../src/language/embedder.ts'
import { readIdeas } from '../src/language/ideas.ts'
import { SentenceEncoder } from '../src/language/sentence-encoder.ts'
import { Copies } from '../src/store/copies.ts'
import { Database } from '../src/store/database.ts'
import { Store } from '../src/store/store.ts'
import { Clock } from '../src/store/version.ts'

let encoder: Promise<SentenceEncoder> | undefined

/** One for all tests of the process, which may end while it is there. */
export function sharedEncoder(): Promise<SentenceEncoder> {
  encoder ??= SentenceEncoder.start()
  return encoder
}

/** A store in a directory of its own, with what indexes documents for it; upkeep of the index is done by hand. */
export class TestStore {
  readonly directory = mkdtempSync(join(tmpdir(), 'hedgerow-store-'))
  readonly encoder: SentenceEncoder
  readonly indexer: Indexer
  db: Database
  store: Store
  copies: Copies
  upkeep: IndexUpkeep
  documents: Documents

  static async open({ maxBytes = 1e9 } = {}): Promise<TestStore> {
    return new TestStore(await sharedEncoder(), maxBytes)
  }

  private constructor(encoder: SentenceEncoder, maxBytes: number) {
    const ideas = readIdeas()
    this.encoder = encoder
    this.indexer = new Indexer(new Embedder(encoder, ideas), ideas)
    this.db = this.#open(maxBytes)
    this.store = new Store(this.db, encoder)
    this.copies = new Copies(this.db)
    this.upkeep = new IndexUpkeep({ store: this.store, indexer: this.indexer })
    this.documents = this.#documents()
  }

  reopen(): void {
    this.db.close()
    this.db = this.#open(1e9)
    this.store = new Store(this.db, this.encoder)
    this.copies = new Copies(this.db)
    this.upkeep = new IndexUpkeep({ store: this.store, indexer: this.indexer })
    this.documents = this.#documents()
  }

  close(): void {
    this.db.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #open(maxBytes: number): Database {
    return new Database(this.directory, maxBytes, () => undefined)
  }

  #documents(): Documents {
    const { db, store, indexer, upkeep } = this
    return new Documents({ db, store, indexer, upkeep, clock: new Clock('peerA') })
  }
}
