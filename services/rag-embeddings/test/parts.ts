import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Documents } from '../src/documents.ts'
import { Indexer } from '../src/indexer.ts'
import { Embedder } from '../src/language/embedder.ts'
import { readIdeas } from '../src/language/ideas.ts'
import { readWordVectors } from '../src/language/word-vectors.ts'
import { Copies } from '../src/store/copies.ts'
import { Database } from '../src/store/database.ts'
import { Store } from '../src/store/store.ts'
import { Clock } from '../src/store/version.ts'

/** A store in a directory of its own, with what indexes documents for it. */
export class TestStore {
  readonly directory = mkdtempSync(join(tmpdir(), 'hedgerow-store-'))
  readonly indexer: Indexer
  db: Database
  store: Store
  copies: Copies
  documents: Documents

  constructor({ maxBytes = 1e9 } = {}) {
    const ideas = readIdeas()
    this.indexer = new Indexer(new Embedder(readWordVectors(), ideas), ideas)
    this.db = this.#open(maxBytes)
    this.store = new Store(this.db, 100)
    this.copies = new Copies(this.db)
    this.documents = this.#documents()
  }

  reopen(): void {
    this.db.close()
    this.db = this.#open(1e9)
    this.store = new Store(this.db, 100)
    this.copies = new Copies(this.db)
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
    return new Documents({ db: this.db, store: this.store, indexer: this.indexer, clock: new Clock('peerA') })
  }
}
