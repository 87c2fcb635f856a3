import type { ServiceApp } from '@hedgerow/service-kit'
import { Type } from 'typebox'
import { seenBy } from '../data-class.ts'
import { BATCH_BYTES, ENTRIES_PAGE, MAX_BATCH_BODY } from '../limits.ts'
import { AskDigest, Fetch, Put } from '../mesh/messages.ts'
import { notHolder } from '../mesh/pass-on.ts'
import type { Parts } from '../service.ts'
import { CollectionName, DocumentId, type StoredDocument } from '../store/document.ts'
import type { Collection } from '../store/store.ts'

const EntriesPage = Type.Object({
  collection: CollectionName,
  after: Type.Optional(Type.Union([DocumentId, Type.Literal('')]))
})

/** How instances keep their copies equal. Declared internal: the mesh lets nobody else call them. */
export async function syncRoutes(app: ServiceApp, parts: Parts): Promise<void> {
  const { store, documents, holders, upkeep } = parts
  const config = { probe: true }

  app.get('/sync/collections', { config }, async () => ({
    collections: store.collections().map(({ name, complete }) => ({ name, complete }))
  }))

  app.get('/sync/digest', { config, schema: { querystring: AskDigest } }, async request => {
    const { name, incarnation, complete } = held(request.query.collection)
    holders.asked(name, request.query.from)
    return { incarnation, complete, digest: store.digest(name), holders: holders.toTell(name) }
  })

  app.get('/sync/entries', { config, schema: { querystring: EntriesPage } }, async request => {
    const { collection, after = '' } = request.query
    held(collection)
    const entries = [...store.entries(collection, after, ENTRIES_PAGE)].map(([id, entry]) => ({ id, ...entry }))
    return { entries, ...(entries.length === ENTRIES_PAGE ? { next: entries.at(-1)?.id } : {}) }
  })

  app.post('/sync/fetch', { config, schema: { body: Fetch } }, async request => {
    const { collection, ids } = request.body
    held(collection)
    const maySee = seenBy(request)
    const found: StoredDocument[] = []
    let size = 0
    for (const id of ids) {
      const document = store.getToSend(collection, id)
      if (document == null || !maySee(document.data_class)) continue
      found.push(document)
      size += document.text.length
      if (size >= BATCH_BYTES) break
    }
    return { documents: found }
  })

  app.post('/sync/put', { config, bodyLimit: MAX_BATCH_BODY, schema: { body: Put } }, async request => {
    const { collection, documents: batch, from, join, digest } = request.body
    if (store.collection(collection) == null) {
      if (!join) throw notHolder(collection)
      store.ensureCollection(collection, { complete: false })
      upkeep.soon(collection)
    }
    holders.proved(collection, from)
    for (const document of batch) await documents.take(collection, document)
    if (digest != null && digest === store.digest(collection)) store.markComplete(collection)
    return { stored: batch.length, holders: holders.toTell(collection) }
  })

  function held(collection: string): Collection {
    const found = store.collection(collection)
    if (found == null) throw notHolder(collection)
    return found
  }
}
