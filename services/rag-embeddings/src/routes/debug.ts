import type { ServiceApp } from '@hedgerow/service-kit'
import { Type } from 'typebox'
import { seenBy } from '../data-class.ts'
import { MAX_DOCUMENTS_PER_COLLECTION, MAX_PAGE } from '../limits.ts'
import { RESOURCE_PREFIX } from '../mesh/instances.ts'
import type { Parts } from '../service.ts'
import { CollectionName, DEFAULT_COLLECTION, type StoredDocument } from '../store/document.ts'

const InCollection = Type.Object({ collection: Type.Optional(CollectionName) })
const PREVIEW = 200

/** What this very instance holds, for people who look for a document that isn't found. */
export async function debugRoutes(app: ServiceApp, { store }: Parts): Promise<void> {
  const config = { probe: true }

  app.get('/resources', { config }, async () => ({
    resources: store
      .collections()
      .filter(({ complete }) => complete)
      .map(({ name }) => `${RESOURCE_PREFIX}${name}`)
  }))

  app.get('/debug/sources', { config, schema: { querystring: InCollection } }, async request => {
    const { collection = DEFAULT_COLLECTION } = request.query
    const maySee = seenBy(request)
    const sources = new Map<string, { source: string; documents: number; passages: number }>()
    for (const { document, passages } of store.list(collection, '', MAX_DOCUMENTS_PER_COLLECTION)) {
      if (!maySee(document.data_class)) continue
      const source = sourceOf(document)
      const entry = sources.get(source) ?? { source, documents: 0, passages: 0 }
      sources.set(source, { source, documents: entry.documents + 1, passages: entry.passages + passages })
    }
    return { collection, count: sources.size, sources: [...sources.values()] }
  })

  app.get('/debug/documents', { config, schema: { querystring: InCollection } }, async request => {
    const { collection = DEFAULT_COLLECTION } = request.query
    const maySee = seenBy(request)
    const seen = store.list(collection, '', MAX_PAGE).filter(({ document }) => maySee(document.data_class))
    const documents = seen.map(({ document, passages }) => ({
      id: document.id,
      version: document.version,
      source: sourceOf(document),
      data_class: document.data_class,
      passages,
      preview: document.text.slice(0, PREVIEW)
    }))
    return { collection, count: documents.length, documents }
  })
}

/** Where a document came from: what its metadata says, or its id. */
function sourceOf({ id, metadata }: StoredDocument): string {
  const named = [metadata.source, metadata.filename, metadata.title].find(value => typeof value === 'string')
  return typeof named === 'string' ? named : id
}
