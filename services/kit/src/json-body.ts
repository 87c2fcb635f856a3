import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ServiceError } from './errors.ts'

/** Names of the encodings that are read: UTF-8, and what is a part of it. RFC 8259 knows no other for JSON. */
const CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii'])
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Bodies as they are: what was compressed, or written in another encoding than UTF-8, is refused with what is taken,
 * instead of being read as what it isn't.
 */
export function strictBodies(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const encoding = request.headers['content-encoding']
    if (encoding == null || /^(?:identity)?$/i.test(encoding.trim())) return
    // the body won't be read, so nothing more can come over this connection
    reply.header('accept-encoding', 'identity').header('connection', 'close')
    throw new ServiceError(
      415,
      'UnsupportedEncoding',
      'compressed bodies are not read; send it without Content-Encoding'
    )
  })

  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      parse(request, textOf(request, body as Buffer), (err, value) => {
        done(err != null && isJson(body as Buffer) ? forbiddenKey() : err, value)
      })
    } catch (err) {
      done(err as Error)
    }
  })
}

/** @throws {ServiceError} 415 or 400 when the body isn't UTF-8, by what it says or by what it is */
function textOf(request: FastifyRequest, body: Buffer): string {
  checkCharset(request)
  return decodeUtf8(body)
}

/** @throws {ServiceError} 415 when the request names an encoding of its text that isn't read */
export function checkCharset({ headers }: FastifyRequest): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1]
  if (charset == null || CHARSETS.has(charset.toLowerCase())) return
  throw new ServiceError(415, 'UnsupportedCharset', `text in ${charset.slice(0, 40)} is not read; send it in UTF-8`)
}

/** @throws {ServiceError} 400 */
function decodeUtf8(body: Uint8Array): string {
  try {
    return utf8.decode(body)
  } catch (err) {
    throw new ServiceError(400, 'MalformedBody', 'the body is not valid UTF-8', {}, err)
  }
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(utf8.decode(body))
    return true
  } catch {
    return false
  }
}

/** Harmless by itself, but code that copies such an object key by key would change what all objects inherit. */
function forbiddenKey(): ServiceError {
  return new ServiceError(400, 'ForbiddenKey', 'the keys "__proto__" and "constructor.prototype" are not taken')
}
