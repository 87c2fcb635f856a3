import type { Database } from './database.ts'
import { integer, text } from './rows.ts'

export interface Copy {
  peer: string
  /** which copy it is; one made anew after a loss has another */
  incarnation: string
  /** milliseconds since 1970 by this instance's clock */
  equalAt: number
}

/** The other copies of the collections held here, and when each was last equal to the one here. */
export class Copies {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  of(collection: string): Copy[] {
    return this.#db
      .prepare('select copies.* from copies join collections on collection = number where name = ? order by peer')
      .all(collection)
      .map(row => ({
        peer: text(row, 'peer'),
        incarnation: text(row, 'incarnation'),
        equalAt: integer(row, 'equal_at')
      }))
  }

  /** When the copy with this incarnation was last equal to the one here; undefined: never. */
  equalAt(collection: string, peer: string, incarnation: string): number | undefined {
    return this.of(collection).find(copy => copy.peer === peer && copy.incarnation === incarnation)?.equalAt
  }

  setEqual(collection: string, { peer, incarnation, equalAt }: Copy): void {
    this.#db
      .prepare(
        `insert into copies (collection, peer, incarnation, equal_at)
         values ((select number from collections where name = ?), ?, ?, ?)
         on conflict do update set incarnation = excluded.incarnation, equal_at = excluded.equal_at`
      )
      .run(collection, peer, incarnation, equalAt)
  }

  remove(collection: string, peer: string): void {
    this.#db
      .prepare('delete from copies where collection = (select number from collections where name = ?) and peer = ?')
      .run(collection, peer)
  }

  /** Forgets the copies that were last equal before this time, in milliseconds since 1970. */
  forget(before: number): void {
    this.#db.prepare('delete from copies where equal_at < ?').run(before)
  }
}
