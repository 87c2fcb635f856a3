import { JSON_OR_TEXT, type ServiceApp } from '@hedgerow/service-kit'
import { Type } from 'typebox'
import { seenBy } from '../data-class.ts'
import { MAX_EMBED_TEXT, MAX_EMBED_TEXTS, MAX_QUERY, MAX_TOP_K } from '../limits.ts'
import type { Parts } from '../service.ts'
import { CollectionName } from '../store/document.ts'
import { query as queryString } from './documents.ts'
import { collectionOf } from './input.ts'
import { partialUnless, READ_TIMEOUT, serve } from './serve.ts'

const Query = Type.Object({
  query: Type.String({ minLength: 1, maxLength: MAX_QUERY }),
  top_k: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_TOP_K, default: 5 })),
  collection: Type.Optional(CollectionName)
})

const EmbedText = Type.String({ maxLength: MAX_EMBED_TEXT })
const Embed = Type.Union([
  Type.Object({ text: EmbedText }),
  Type.Object({ texts: Type.Array(EmbedText, { minItems: 1, maxItems: MAX_EMBED_TEXTS }) })
])

/** Searching a collection, wherever it is held, and embedding texts. */
export async function queryRoutes(app: ServiceApp, parts: Parts): Promise<void> {
  const { documents, embedder } = parts

  app.post(
    '/query',
    {
      schema: {
        summary: 'Passages that answer a question, best first',
        description: 'JSON, or the question itself as text/plain',
        consumes: JSON_OR_TEXT,
        body: Query
      },
      preValidation: async request => {
        const { body }: { body: unknown } = request
        if (typeof body === 'string') Object.assign(request, { body: { query: body.trim() } })
      }
    },
    async (request, reply) => {
      const { query, top_k = 5 } = request.body
      const collection = collectionOf(request, request.body.collection)
      return serve(parts, request, reply, {
        collection,
        what: 'read',
        elsewhere: {
          method: 'POST',
          path: `/query${queryString({ collection })}`,
          body: { query, top_k, collection },
          timeout: READ_TIMEOUT
        },
        here: async ({ sure }) => ({
          passages: await documents.query(collection, query, top_k, seenBy(request)),
          collection,
          ...partialUnless(sure)
        }),
        nowhere: () => ({ passages: [], collection })
      })
    }
  )

  app.post('/embed', { schema: { summary: 'Vectors of texts', body: Embed } }, async request => {
    const { body } = request
    const { model, dimensions } = embedder
    const vectors = await embedder.embedAll('text' in body ? [body.text] : body.texts, 'write')
    const [embedding = [], ...rest] = vectors.map(vector => [...vector])
    return { ...('text' in body ? { embedding } : { embeddings: [embedding, ...rest] }), model, dimensions }
  })
}
