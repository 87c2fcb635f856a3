import { type Static, Type } from 'typebox'
import { BATCH_DOCUMENTS } from '../limits.ts'
import { CollectionName, DataClass, DocumentId, StoredDocument } from '../store/document.ts'
import { VERSION_PATTERN } from '../store/version.ts'
import { MOST_TOLD } from './holders.ts'

const PeerId = Type.String({ minLength: 1, maxLength: 128 })
/** Who else holds the collection, as the answering instance knows of itself */
const OtherHolders = Type.Array(PeerId, { maxItems: MOST_TOLD })

/** What instances of this service say to each other, under `/sync`. */
export const Held = Type.Object({
  collections: Type.Array(Type.Object({ name: CollectionName, complete: Type.Boolean() }))
})

export const Digest = Type.Object({
  incarnation: Type.String({ minLength: 1, maxLength: 64 }),
  complete: Type.Boolean(),
  digest: Type.String(),
  holders: OtherHolders
})
export type Digest = Static<typeof Digest>

/** `from` is a holder that compares its copy: from then on it gets the writes made here. */
export const AskDigest = Type.Object({ collection: CollectionName, from: PeerId })

export const Entries = Type.Object({
  entries: Type.Array(
    Type.Object({
      id: DocumentId,
      version: Type.String({ pattern: VERSION_PATTERN }),
      deleted: Type.Boolean(),
      data_class: Type.Optional(DataClass)
    })
  ),
  /** continue after this id; left out at the end */
  next: Type.Optional(DocumentId)
})

export const Fetch = Type.Object({
  collection: CollectionName,
  ids: Type.Array(DocumentId, { minItems: 1, maxItems: BATCH_DOCUMENTS })
})
export const Documents = Type.Object({ documents: Type.Array(StoredDocument) })

export const Put = Type.Object({
  collection: CollectionName,
  documents: Type.Array(StoredDocument, { maxItems: BATCH_DOCUMENTS }),
  /** the sender */
  from: PeerId,
  /** asks the receiver to become a holder if it isn't one */
  join: Type.Boolean(),
  /** of the sender's copy, if that is complete: a receiver that gets the same has a complete one too */
  digest: Type.Optional(Type.String())
})

export const Stored = Type.Object({ stored: Type.Integer(), holders: OtherHolders })

/**
 * Sent with a request that was passed on once: its receiver serves it or refuses, so that none goes in circles. `first`
 * asks a receiver that doesn't hold the collection to become its first holder.
 */
export const PASSED_ON = 'hedgerow-rag-passed-on'
export const DATA_CLASS = 'hedgerow-data-class'
/** Which classes of data whoever gets the answer may see, as the worker says. */
export const CALLER_CLASSES = 'hedgerow-caller-classes'
