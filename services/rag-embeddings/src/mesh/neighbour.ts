import { callOwnService } from '@hedgerow/service-kit'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { BATCH_BYTES, BATCH_DOCUMENTS, MAX_BATCH_BODY } from '../limits.ts'
import type { StoredDocument } from '../store/document.ts'
import type { Entry } from '../store/merge.ts'
import { DATA_CLASS, Digest, Documents, Entries, Held, Stored } from './messages.ts'

/** The other instance couldn't be reached, refused, or answered what it shouldn't. */
export class NeighbourError extends Error {
  override readonly name = 'NeighbourError'
  /** HTTP status of its answer, if there was one */
  readonly status: number | undefined

  constructor(message: string, { status, cause }: { status?: number; cause?: unknown }) {
    super(message, { cause })
    this.status = status
  }

  /** it is there, but doesn't hold the collection */
  get notHolder(): boolean {
    return this.status === 421
  }

  /** nothing came back, or the mesh says that it couldn't get there */
  get unreachable(): boolean {
    return this.status == null || UNREACHABLE.has(this.status)
  }
}

const UNREACHABLE = new Set([404, 502, 503, 504])

/** For what is answered from memory, and for small writes, which a client waits for. Milliseconds. */
const PROMPT = 2000
/** For batches of documents. Milliseconds. */
const PATIENT = 30_000
/** The slowest connection that still counts as one, in characters per millisecond. */
const SLOWEST = 250

export interface PutHow {
  /** whether to become a holder if it isn't one */
  join: boolean
  /** of the copy here, if that is complete */
  digest?: string | undefined
}

interface Call {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
  dataClass?: string | undefined
  timeout: number
}

/** Another instance of this service, asked through the mesh on this instance's own account. */
export class Neighbour {
  readonly peer: string
  readonly #self: string

  constructor(peer: string, self: string) {
    this.peer = peer
    this.#self = self
  }

  /** Names of the collections that it holds, and whether its copies are complete. */
  async held(): Promise<Static<typeof Held>['collections']> {
    return (await this.#call(Held, { method: 'GET', path: 'sync/collections', timeout: PROMPT })).collections
  }

  /** The state of its copy. Only a holder asks: it gets the other's writes from then on. */
  async digest(collection: string): Promise<Digest> {
    const path = `sync/digest?${query({ collection, from: this.#self })}`
    const answer = await this.#call(Digest, { method: 'GET', path, timeout: PROMPT })
    return { ...answer, holders: this.#besides(answer.holders) }
  }

  async entries(collection: string): Promise<Map<string, Entry>> {
    const all = new Map<string, Entry>()
    for (let after: string | undefined = ''; after != null; ) {
      const path = `sync/entries?${query({ collection, after })}`
      const page: Static<typeof Entries> = await this.#call(Entries, { method: 'GET', path, timeout: PATIENT })
      for (const { id, ...entry } of page.entries) all.set(id, entry)
      after = page.next
    }
    return all
  }

  /** Some of the documents, at least one if any is there; ask again for the rest. */
  async fetch(collection: string, ids: readonly string[], dataClass: string | undefined): Promise<StoredDocument[]> {
    const body = { collection, ids: ids.slice(0, BATCH_DOCUMENTS) }
    const call = { method: 'POST', path: 'sync/fetch', body, dataClass, timeout: PATIENT } as const
    return (await this.#call(Documents, call)).documents
  }

  /**
   * All of one data class. Returns once the other has them on its disk.
   *
   * @returns the holders that it knows of besides itself and this instance
   */
  async put(collection: string, documents: readonly StoredDocument[], how: PutHow): Promise<string[]> {
    const body = { collection, documents, from: this.#self, ...how }
    const { holders } = await this.#call(Stored, {
      method: 'POST',
      path: 'sync/put',
      body,
      dataClass: documents[0]?.data_class,
      timeout: PROMPT + documents.reduce((sum, { text }) => sum + text.length, 0) / SLOWEST
    })
    return this.#besides(holders)
  }

  #besides(holders: readonly string[]): string[] {
    return holders.filter(peer => peer !== this.#self && peer !== this.peer)
  }

  async #call<T extends TSchema>(schema: T, call: Call): Promise<Static<T>> {
    const text = await this.#send(call)
    try {
      const value: unknown = JSON.parse(text)
      if (Value.Check(schema, value)) return value
    } catch (err) {
      throw new NeighbourError(`${this.peer} answered ${call.path} with what is no JSON`, { cause: err })
    }
    throw new NeighbourError(`${this.peer} answered ${call.path} with what was not asked for`, {})
  }

  async #send({ method, path, body, dataClass, timeout }: Call): Promise<string> {
    const signal = AbortSignal.timeout(Math.ceil(timeout))
    let status: number
    let text: string
    try {
      const response = await callOwnService({
        method,
        path: `rag-embeddings/${path}`,
        worker: this.peer,
        headers: {
          ...(body == null ? {} : { 'content-type': 'application/json' }),
          ...(dataClass == null ? {} : { [DATA_CLASS]: dataClass })
        },
        ...(body == null ? {} : { body: JSON.stringify(body) }),
        signal
      })
      status = response.statusCode
      text = await readAtMost(response.body, MAX_BATCH_BODY)
    } catch (err) {
      throw new NeighbourError(`${this.peer} couldn't be asked ${path}`, { cause: err })
    }
    if (status >= 300) throw new NeighbourError(`${this.peer} answered ${path} with ${status}`, { status })
    return text
  }
}

/** Cuts documents into batches of one data class each that {@link Neighbour.put} may send. */
export function* batches(documents: Iterable<StoredDocument>): Generator<StoredDocument[]> {
  const open = new Map<string | undefined, { documents: StoredDocument[]; size: number }>()
  for (const document of documents) {
    const batch = open.get(document.data_class) ?? { documents: [], size: 0 }
    batch.documents.push(document)
    batch.size += document.text.length
    open.set(document.data_class, batch)
    if (batch.documents.length < BATCH_DOCUMENTS && batch.size < BATCH_BYTES) continue
    yield batch.documents
    open.delete(document.data_class)
  }
  for (const batch of open.values()) yield batch.documents
}

function query(parameters: Record<string, string>): string {
  return new URLSearchParams(parameters).toString()
}

async function readAtMost(body: AsyncIterable<Uint8Array>, most: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > most) throw new Error(`an answer of more than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
