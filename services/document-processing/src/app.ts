import multipart from '@fastify/multipart'
import { clientLeft, type ServiceApp, ServiceError, serviceApp } from '@hedgerow/service-kit'
import { Type } from 'typebox'
import { Options, readUpload, takeBytes } from './input.ts'
import { MAX_BODY, REQUEST_TIME_LIMIT } from './limits.ts'
import { FORMATS } from './media-type.ts'
import { OcrError, recognize } from './ocr.ts'
import type { Processes } from './process/processes.ts'
import { processDocument } from './process-document.ts'
import { QrBody, qrPng } from './qr.ts'

/** bytes: the longest text of a code, escaped */
const QR_BODY_LIMIT = 32 * 1024

const Processed = Type.Object({
  text: Type.String({ description: 'the text of all pages' }),
  pages: Type.Array(
    Type.Object({
      number: Type.Integer({ minimum: 1 }),
      text: Type.String(),
      source: Type.Enum(['text', 'ocr']),
      confidence: Type.Optional(Type.Number({ description: "vision-ocr's, of a page read by OCR" }))
    })
  ),
  chunks: Type.Array(
    Type.Object({
      index: Type.Integer({ minimum: 0 }),
      text: Type.String({ description: 'exactly `text.slice(start, end)` of the whole text' }),
      start: Type.Integer({ minimum: 0, description: 'in UTF-16 code units' }),
      end: Type.Integer({ minimum: 0, description: 'in UTF-16 code units, exclusive' }),
      page: Type.Integer({ minimum: 1 })
    })
  ),
  metadata: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), {
    description: 'media_type, page_count, ocr_pages, characters, bytes; filename, title and more where known'
  })
})

export async function documentApp(processes: Processes, version: string): Promise<ServiceApp> {
  const read = { documents: 0, text_pages: 0, ocr_pages: 0, characters: 0 }
  const app = await serviceApp({
    name: 'document-processing',
    version,
    bodyLimit: QR_BODY_LIMIT,
    stats: () => ({ ...read, processes_ended: processes.ended })
  })
  app.addHook('onClose', () => processes.close())

  await app.register(async scope => {
    await scope.register(multipart)
    takeBytes(scope)
    scope.post(
      '/process',
      {
        bodyLimit: MAX_BODY,
        schema: {
          summary: 'Turns a document into text, pages and chunks',
          description: 'The document as it is, or a form with one file; scanned pages are read by vision-ocr',
          consumes: [...Object.values(FORMATS), 'multipart/form-data'],
          querystring: Options,
          response: { 200: Processed }
        }
      },
      async (request, reply) => {
        const deadline = AbortSignal.timeout(timeLimit(request.headers['hedgerow-timeout']))
        const left = clientLeft(reply)
        const upload = await readUpload(request)
        const components = {
          processes,
          recognize: (png: Uint8Array, page: number, signal: AbortSignal) => recognize(request, png, page, signal)
        }
        try {
          const document = await processDocument(upload, components, AbortSignal.any([left, deadline]))
          read.documents++
          read.characters += document.text.length
          for (const { source } of document.pages) read[`${source}_pages`]++
          return document
        } catch (err) {
          if (left.aborted) throw new ServiceError(499, 'ClientGone', 'the caller left before the document was read')
          if (deadline.aborted) {
            throw new ServiceError(504, 'TimedOut', 'the document took longer than the time that the request has')
          }
          if (err instanceof OcrError && err.retryAfter != null) reply.header('retry-after', err.retryAfter)
          throw err
        }
      }
    )
  })

  app.post(
    '/generate-qr',
    { schema: { summary: 'Draws a QR code as PNG', body: QrBody, produces: ['image/png'] } },
    async (request, reply) => {
      const { text, size, error_correction } = request.body
      const png = await qrPng(text, size, error_correction)
      return reply.type('image/png').send(png)
    }
  )
  return app
}

/** @param header `Hedgerow-Timeout`: the seconds that the caller still has */
function timeLimit(header: string | string[] | undefined): number {
  const seconds = Number(header)
  return header != null && seconds > 0 ? Math.min(seconds * 1000, REQUEST_TIME_LIMIT) : REQUEST_TIME_LIMIT
}
