import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { MAX_RELAYS, SILENCE } from './constants.ts'
import type { Heard, Heartbeat, Registry, Relay } from './index.ts'

/** The one object that all of the Worker's places share. */
const NAME = 'relays'

type Row = { url: string; latitude: number | null; longitude: number | null; seen: number }

/** Who registered, in the object's own SQLite: one row written a heartbeat, no more than {@link MAX_RELAYS} kept. */
export class RelayRegistry extends DurableObject<Env> {
  readonly #sql: SqlStorage

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#sql = ctx.storage.sql
    this.#sql.exec(
      'CREATE TABLE IF NOT EXISTS relays (id TEXT PRIMARY KEY, url TEXT NOT NULL, latitude REAL, longitude REAL, seen INTEGER NOT NULL) WITHOUT ROWID'
    )
  }

  heard({ id, url, place }: Heartbeat, now: number): Heard {
    this.#sql.exec('DELETE FROM relays WHERE seen <= ?', now - SILENCE)
    const [before] = this.#sql.exec<Row>('SELECT url, latitude, longitude, seen FROM relays WHERE id = ?', id)
    const current = url ?? before?.url
    if (current == null) return 'unknown'
    this.#sql.exec('DELETE FROM relays WHERE url = ? AND id <> ?', current, id)
    const { others } = this.#sql
      .exec<{ others: number }>('SELECT count(*) AS others FROM relays WHERE id <> ?', id)
      .one()
    if (others >= MAX_RELAYS) return 'full'
    this.#sql.exec(
      'INSERT OR REPLACE INTO relays (id, url, latitude, longitude, seen) VALUES (?, ?, ?, ?, ?)',
      id,
      current,
      place?.latitude ?? before?.latitude ?? null,
      place?.longitude ?? before?.longitude ?? null,
      now
    )
    return before?.url === current ? 'unchanged' : 'written'
  }

  list(now: number): Relay[] {
    const rows = this.#sql.exec<Row>(
      'SELECT url, latitude, longitude, seen FROM relays WHERE seen > ? ORDER BY id',
      now - SILENCE
    )
    return [...rows].map(({ url, latitude, longitude, seen }) => ({
      url,
      seen,
      ...(latitude == null || longitude == null ? {} : { place: { latitude, longitude } })
    }))
  }
}

/** The object, as the Worker asks it. */
export class DurableRegistry implements Registry {
  readonly #namespace: DurableObjectNamespace<RelayRegistry>

  constructor(namespace: DurableObjectNamespace<RelayRegistry>) {
    this.#namespace = namespace
  }

  heard(heartbeat: Heartbeat, now: number): Promise<Heard> {
    return this.#object().heard(heartbeat, now)
  }

  list(now: number): Promise<Relay[]> {
    return this.#object().list(now)
  }

  /** Asked for anew each time: a stub that has failed once goes on failing. */
  #object(): DurableObjectStub<RelayRegistry> {
    return this.#namespace.get(this.#namespace.idFromName(NAME))
  }
}
