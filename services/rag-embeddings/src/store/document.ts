import { type Static, Type } from 'typebox'
import { MAX_DOCUMENT } from '../limits.ts'
import { VERSION_PATTERN } from './version.ts'

/** Names go into resources (`collection/<name>`) and query strings, so they are plain. */
export const CollectionName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' })
/** Ids are one segment of a path. */
export const DocumentId = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}$' })
export const DataClass = Type.String({ pattern: '^[a-z][a-z0-9_-]{0,31}$' })
export const Metadata = Type.Record(Type.String({ maxLength: 128 }), Type.Unknown())

export const DEFAULT_COLLECTION = 'default'

/** A document as it is stored and as instances send it to each other. */
export const StoredDocument = Type.Object({
  id: DocumentId,
  version: Type.String({ pattern: VERSION_PATTERN }),
  /** a tombstone: text and metadata are empty */
  deleted: Type.Boolean(),
  text: Type.String({ maxLength: MAX_DOCUMENT }),
  metadata: Metadata,
  data_class: Type.Optional(DataClass),
  /** milliseconds since 1970 */
  created_at: Type.Integer({ minimum: 0 }),
  updated_at: Type.Integer({ minimum: 0 }),
  /** goes along with a copy, so that its receiver needn't compute it again; see {@link packVectors} */
  vectors: Type.Optional(Type.Object({ recipe: Type.String({ maxLength: 128 }), bytes: Type.String() }))
})
export type StoredDocument = Static<typeof StoredDocument>

/** A passage with what it is found by. */
export interface IndexedPassage {
  heading: string
  text: string
  /** search terms, separated by spaces */
  terms: string
  /** direction alone counts; undefined while it is pending */
  vector?: Int8Array | undefined
}
