import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { ServiceError } from '@hedgerow/service-kit'
import { load as loadVectorSearch } from 'sqlite-vec'
import { integer } from './rows.ts'

export const DATABASE_FILE = 'rag.sqlite'

const SCHEMA = `
  create table if not exists meta (key text primary key, value text not null) strict;
  create table if not exists collections (
    number integer primary key,
    name text not null unique,
    -- says which copy this is; a copy made anew after a loss gets another
    incarnation text not null,
    -- 0 while the first catching-up goes on
    complete integer not null
  ) strict;
  create table if not exists documents (
    number integer primary key,
    collection integer not null references collections (number),
    id text not null,
    version text not null,
    deleted integer not null,
    -- how many it has
    passages integer not null,
    -- how its text was cut and which terms were taken from it
    recipe text not null default '',
    metadata text not null,
    data_class text,
    created_at integer not null,
    updated_at integer not null,
    text text not null,
    unique (collection, id)
  ) strict;
  create index if not exists documents_to_count on documents (collection, deleted, passages);
  create table if not exists passages (
    number integer primary key,
    document integer not null references documents (number),
    heading text not null,
    text text not null,
    -- 0 while it waits for its vector
    embedded integer not null default 0
  ) strict;
  create index if not exists passages_of_document on passages (document);
  create index if not exists passages_pending on passages (number) where embedded = 0;
  -- other copies of a collection, and when each was last equal to the one here
  create table if not exists copies (
    collection integer not null references collections (number),
    peer text not null,
    incarnation text not null,
    equal_at integer not null,
    primary key (collection, peer)
  ) strict;
`

/** Columns that files of earlier versions lack. */
const LATER_COLUMNS: readonly (readonly [table: string, column: string, type: string])[] = [
  ['documents', 'recipe', "text not null default ''"],
  ['passages', 'embedded', 'integer not null default 0']
]

/** A SQLite file with full-text and vector search, its statements prepared once. */
export class Database {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #maxBytes: number

  /**
   * @param directory made if need be, for the owner only
   * @param maxBytes beyond it documents are refused with 507
   * @param onDamaged told where a file that can't be read was put aside; a new one is begun
   */
  constructor(directory: string, maxBytes: number, onDamaged: (movedTo: string) => void) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    chmodSync(directory, 0o700)
    const file = join(directory, DATABASE_FILE)
    this.#maxBytes = maxBytes
    try {
      this.#db = open(file)
    } catch (err) {
      if (!isDamage(err) || !existsSync(file)) throw err
      const aside = `${file}.damaged-${Date.now()}`
      for (const suffix of ['', '-wal', '-shm'])
        if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
      onDamaged(aside)
      this.#db = open(file)
    }
  }

  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known != null) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /** All of it or nothing; once it returns, the disk has it. */
  transaction<T>(work: () => T): T {
    this.#db.exec('begin immediate')
    try {
      const result = work()
      this.#db.exec('commit')
      return result
    } catch (err) {
      if (this.#db.isTransaction) this.#db.exec('rollback')
      throw isFull(err) ? storageFull('the disk is full', err) : err
    }
  }

  /** Forgets the statements of tables that are about to go. */
  release(table: string): void {
    for (const sql of this.#statements.keys()) if (sql.includes(table)) this.#statements.delete(sql)
  }

  get bytes(): number {
    const pages = integer(this.prepare('pragma page_count').get() ?? {}, 'page_count')
    const free = integer(this.prepare('pragma freelist_count').get() ?? {}, 'freelist_count')
    return (pages - free) * integer(this.prepare('pragma page_size').get() ?? {}, 'page_size')
  }

  /** @throws {ServiceError} 507 `StorageFull` */
  checkRoom(bytes: number): void {
    if (this.bytes + bytes > this.#maxBytes)
      throw storageFull(`this instance keeps ${Math.round(this.#maxBytes / 1024 / 1024)} MB at most (RAG_MAX_MB)`)
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { allowExtension: true })
  try {
    // SQLite gives the files beside it (-wal, -shm) the same mode
    chmodSync(file, 0o600)
    loadVectorSearch(db)
    db.enableLoadExtension(false)
    // FULL: a write that was acknowledged is on disk even if the machine loses power a moment later
    db.exec(
      'pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 2000'
    )
    addLaterColumns(db)
    db.exec(SCHEMA)
    return db
  } catch (err) {
    db.close()
    throw err
  }
}

function addLaterColumns(db: DatabaseSync): void {
  for (const [table, column, type] of LATER_COLUMNS) {
    const columns = db.prepare('select name from pragma_table_info(?)').all(table)
    if (columns.length === 0 || columns.some(({ name }) => name === column)) continue
    db.exec(`alter table ${table} add column ${column} ${type}`)
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB */
const DAMAGE = new Set([11, 26])
const FULL = 13

function sqliteCode(err: unknown): unknown {
  return err instanceof Error && 'errcode' in err ? err.errcode : undefined
}

function isDamage(err: unknown): boolean {
  const code = sqliteCode(err)
  return typeof code === 'number' && DAMAGE.has(code & 0xff)
}

function isFull(err: unknown): boolean {
  return sqliteCode(err) === FULL
}

function storageFull(why: string, cause?: unknown): ServiceError {
  return new ServiceError(507, 'StorageFull', `the document was not stored: ${why}`, {}, cause)
}
