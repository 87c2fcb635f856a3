import multipart from '@fastify/multipart'
import { clientLeft, type ServiceApp, ServiceError, serviceApp } from '@hedgerow/service-kit'
import { Type } from 'typebox'
import type { Config } from './config.ts'
import { readUpload, takeBytes } from './input.ts'
import { BODY_LIMIT } from './limits.ts'
import { MEDIA_TYPES, mediaOf } from './media.ts'
import { Recognizer } from './recognizer.ts'
import { Readers } from './tesseract/readers.ts'
import { Threads } from './thread/threads.ts'

/** seconds, when all is busy: about a page */
const RETRY_AFTER = '3'

const Confidence = Type.Number({ minimum: 0, maximum: 1 })
const Part = {
  text: Type.String(),
  confidence: Confidence,
  bbox: Type.Object(
    { x0: Type.Integer(), y0: Type.Integer(), x1: Type.Integer(), y1: Type.Integer() },
    { description: 'pixels from the top left, of the page as `pages` gives its size' }
  )
}
const Recognized = Type.Object({
  text: Type.String({ description: 'of all pages, in reading order' }),
  confidence: Confidence,
  blocks: Type.Array(
    Type.Object({ page: Type.Integer({ minimum: 1 }), ...Part, lines: Type.Array(Type.Object(Part)) })
  ),
  pages: Type.Array(
    Type.Object({
      page: Type.Integer({ minimum: 1 }),
      width: Type.Integer(),
      height: Type.Integer(),
      confidence: Confidence,
      turned: Type.Number({ description: 'degrees clockwise that the page was turned to be read' })
    })
  )
})

/** The service, with a first engine running. */
export async function ocrApp(config: Config, version: string): Promise<ServiceApp> {
  const readers = new Readers(config.workers)
  const threads = new Threads(config.workers)
  await readers.start()
  const recognizer = new Recognizer({ readers, threads }, config.workers)
  const read = { pages: 0, characters: 0 }
  let running = 0
  const app = await serviceApp({
    name: 'vision-ocr',
    version,
    bodyLimit: BODY_LIMIT,
    stats: () => ({ ...read, running, ...readers.stats })
  })
  app.addHook('onClose', async () => {
    await Promise.all([readers.close(), threads.close()])
  })

  await app.register(async scope => {
    await scope.register(multipart)
    takeBytes(scope)
    scope.post(
      '/recognize',
      {
        schema: {
          summary: 'Reads the text of a picture or a PDF',
          description: 'The picture as it is, a form with one file, or {"image": base64 or data URL}',
          consumes: [...MEDIA_TYPES, 'multipart/form-data', 'application/json'],
          response: { 200: Recognized }
        }
      },
      async (request, reply) => {
        const deadline = AbortSignal.timeout(timeLimit(request.headers['hedgerow-timeout'], config.timeLimit))
        const left = clientLeft(reply)
        const { bytes, mediaType } = await readUpload(request)
        const media = mediaOf(bytes, mediaType)
        if (running >= config.requests) {
          reply.header('retry-after', RETRY_AFTER)
          throw new ServiceError(429, 'Busy', `${running} requests are being read or wait for it`)
        }
        running++
        try {
          const recognized = await recognizer.recognize(bytes, media, AbortSignal.any([left, deadline]))
          read.pages += recognized.pages.length
          read.characters += recognized.text.length
          return recognized
        } catch (err) {
          if (left.aborted) throw new ServiceError(499, 'ClientGone', 'the caller left before the picture was read')
          if (deadline.aborted) {
            throw new ServiceError(504, 'TimedOut', 'reading took longer than the time that the request has')
          }
          throw err
        } finally {
          running--
        }
      }
    )
  })
  return app
}

/** @param header `Hedgerow-Timeout`: the seconds that the caller still has */
function timeLimit(header: string | string[] | undefined, limit: number): number {
  const seconds = Number(header)
  return header != null && seconds > 0 ? Math.min(Math.ceil(seconds * 1000), limit) : limit
}
