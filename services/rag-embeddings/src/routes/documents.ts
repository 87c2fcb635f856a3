import multipart from '@fastify/multipart'
import { checkCharset, clientLeft, type ServiceApp, ServiceError } from '@hedgerow/service-kit'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { seenBy } from '../data-class.ts'
import { MAX_PAGE, MAX_UPLOAD } from '../limits.ts'
import type { Parts } from '../service.ts'
import { CollectionName, DEFAULT_COLLECTION, DocumentId, type StoredDocument } from '../store/document.ts'
import { FILE_TYPES } from './document-text.ts'
import { collectionOf, decode, readUpload } from './input.ts'
import { partialUnless, READ_TIMEOUT, serve, WRITE_TIMEOUT } from './serve.ts'

const TEXT_TYPES = ['text/plain', 'text/markdown', 'text/x-markdown']

export const InCollection = Type.Object({ collection: Type.Optional(CollectionName) })
const OneDocument = Type.Object({ id: DocumentId })
const Page = Type.Object({
  collection: Type.Optional(CollectionName),
  // in a query string everything is text
  limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
  after: Type.Optional(DocumentId)
})

/** Adding, listing, reading and deleting documents, wherever their collection is held. */
export async function documentRoutes(app: ServiceApp, parts: Parts): Promise<void> {
  const { store, documents, replicator, freshness } = parts

  await app.register(multipart)
  app.addContentTypeParser(
    TEXT_TYPES,
    { parseAs: 'buffer', bodyLimit: MAX_UPLOAD },
    async (request: FastifyRequest, body: Buffer) => {
      checkCharset(request)
      return decode(body)
    }
  )
  app.addContentTypeParser(
    [...FILE_TYPES],
    { parseAs: 'buffer', bodyLimit: MAX_UPLOAD },
    async (_request: FastifyRequest, body: Buffer) => body
  )

  app.post(
    '/documents',
    {
      bodyLimit: MAX_UPLOAD,
      schema: {
        summary: 'Adds a document, or replaces the one with this id',
        description:
          'JSON {id?, text, metadata?, collection?}, a file, or a form with one file; document-processing reads what is no text',
        consumes: ['application/json', ...TEXT_TYPES, ...FILE_TYPES, 'multipart/form-data']
      }
    },
    async (request, reply) => {
      const { collection, document } = await readUpload(request, clientLeft(reply))
      const { data_class: _inHeader, ...body } = { ...document, collection }
      return serve(parts, request, reply, {
        collection,
        what: 'add',
        elsewhere: { method: 'POST', path: `/documents${query({ collection })}`, body, timeout: WRITE_TIMEOUT },
        async here() {
          const stored = await documents.write(collection, document)
          const replicas = await replicator.spread(collection, stored)
          const pending = store.pendingOf(collection, stored.id)
          const follows = pending === 0 ? {} : { pending }
          return reply.code(201).send({ id: stored.id, collection, version: stored.version, replicas, ...follows })
        },
        nowhere: () => undefined
      })
    }
  )

  app.get('/documents', { schema: { summary: 'Lists documents by id', querystring: Page } }, async (request, reply) => {
    const { collection = DEFAULT_COLLECTION, limit = '100', after = '' } = request.query
    return serve(parts, request, reply, {
      collection,
      what: 'read',
      elsewhere: { method: 'GET', path: `/documents${query({ collection, limit, after })}`, timeout: READ_TIMEOUT },
      here({ sure }) {
        const most = Math.min(Number(limit), MAX_PAGE)
        const maySee = seenBy(request)
        const listed = store.list(collection, after, most)
        const last = listed.at(-1)?.document.id
        return {
          collection,
          documents: listed
            .filter(({ document }) => maySee(document.data_class))
            .map(({ document, passages }) => ({ ...describe(document), passages })),
          ...partialUnless(sure),
          ...(listed.length === most && last != null ? { next: last } : {})
        }
      },
      nowhere: () => ({ collection, documents: [] })
    })
  })

  app.get(
    '/documents/:id',
    { schema: { summary: 'One document with its text', params: OneDocument, querystring: InCollection } },
    async (request, reply) => {
      const collection = collectionOf(request, undefined)
      const { id } = request.params
      return serve(parts, request, reply, {
        collection,
        what: 'read',
        elsewhere: { method: 'GET', path: pathOf(id, collection), timeout: READ_TIMEOUT },
        here({ sure }) {
          const document = store.get(collection, id)
          if (document == null && !sure) throw notSure(id, collection)
          if (document == null || document.deleted) throw noSuchDocument(id, collection)
          if (!seenBy(request)(document.data_class)) throw notForYou(document)
          return { ...describe(document), text: document.text }
        },
        nowhere() {
          throw noSuchDocument(id, collection)
        }
      })
    }
  )

  app.delete(
    '/documents/:id',
    { schema: { summary: 'Deletes a document', params: OneDocument, querystring: InCollection } },
    async (request, reply) => {
      const collection = collectionOf(request, undefined)
      const { id } = request.params
      return serve(parts, request, reply, {
        collection,
        what: 'change',
        elsewhere: { method: 'DELETE', path: pathOf(id, collection), timeout: WRITE_TIMEOUT },
        async here() {
          // another holder may have it while this one hasn't heard of it yet
          const known = store.get(collection, id) != null
          const sure = known || (await freshness.ensure(collection))
          const tombstone = documents.remove(collection, id)
          if (tombstone == null && !sure) throw notSure(id, collection)
          if (tombstone == null) throw noSuchDocument(id, collection)
          return { id, collection, deleted: true, replicas: await replicator.spread(collection, tombstone) }
        },
        nowhere() {
          throw noSuchDocument(id, collection)
        }
      })
    }
  )
}

function describe({ text, deleted: _, created_at, updated_at, ...rest }: StoredDocument): Record<string, unknown> {
  return {
    ...rest,
    characters: text.length,
    created_at: new Date(created_at).toISOString(),
    updated_at: new Date(updated_at).toISOString()
  }
}

function pathOf(id: string, collection: string): string {
  return `/documents/${encodeURIComponent(id)}${query({ collection })}`
}

export function query(parameters: Record<string, string>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== '')
  return `?${new URLSearchParams(given)}`
}

function notSure(id: string, collection: string): ServiceError {
  return new ServiceError(
    503,
    'NoHolder',
    `the copy of ${collection} here has no document ${id}, and an instance that may have it does not answer now`
  )
}

function notForYou({ id, data_class }: StoredDocument): ServiceError {
  return new ServiceError(
    403,
    'ClassNotAllowed',
    `the document ${id} is ${data_class}: ask with Hedgerow-Data-Class: ${data_class}, as somebody whose credential has that class`
  )
}

function noSuchDocument(id: string, collection: string): ServiceError {
  return new ServiceError(404, 'NoSuchDocument', `the collection ${collection} has no document ${id}`)
}
