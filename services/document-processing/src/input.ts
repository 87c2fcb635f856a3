import { describeFaults, inputErrors, type ServiceApp, ServiceError } from '@hedgerow/service-kit'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { CHUNK_SIZE, MAX_BODY, MAX_CHUNK_SIZE, MIN_CHUNK_SIZE } from './limits.ts'
import { type MediaType, parseMediaType } from './media-type.ts'
import type { OcrChoice } from './process/task.ts'

/** What comes beside a document, in the query string or as fields of the form; text there, whatever it means. */
export const Options = Type.Object({
  filename: Type.Optional(Type.String({ maxLength: 1_000 })),
  chunk_size: Type.Optional(
    Type.String({ pattern: '^[1-9][0-9]{2,3}$', description: `characters, ${MIN_CHUNK_SIZE} to ${MAX_CHUNK_SIZE}` })
  ),
  ocr: Type.Optional(
    Type.Enum(['auto', 'always'], { description: 'always: read every page by OCR, also one that has text' })
  )
})
/** A password isn't taken from the query string, which proxies log. */
const Fields = Type.Object({ ...Options.properties, password: Type.Optional(Type.String({ maxLength: 500 })) })

export interface Upload {
  bytes: Uint8Array
  mediaType: MediaType
  filename: string | undefined
  password: string
  chunkSize: number
  ocr: OcrChoice
}

/**
 * The document that a request brings: the body as it is, or a form with one file.
 *
 * @throws {ServiceError} 400, 413 or 422
 */
export async function readUpload(request: FastifyRequest): Promise<Upload> {
  if (request.isMultipart()) return readForm(request)
  const { body } = request
  if (!(body instanceof Uint8Array)) throw emptyBody()
  return upload(
    body,
    request.headers['content-type'],
    dispositionName(request.headers['content-disposition']),
    request.query
  )
}

async function readForm(request: FastifyRequest): Promise<Upload> {
  const fields: Record<string, unknown> = {}
  let file: { bytes: Buffer; type: string; name: string | undefined } | undefined
  try {
    for await (const part of request.parts({ limits: { files: 1, fields: 16, fileSize: MAX_BODY, fieldSize: 4096 } })) {
      if (part.type === 'file') file = { bytes: await part.toBuffer(), type: part.mimetype, name: part.filename }
      else fields[part.fieldname] = part.value
    }
  } catch (err) {
    throw formError(err)
  }
  if (file == null) throw new ServiceError(422, 'NoFile', 'the form has no file; send one with a filename')
  return upload(file.bytes, file.type, file.name, { ...Object(request.query), ...fields })
}

function upload(bytes: Uint8Array, contentType: string | undefined, name: string | undefined, beside: unknown): Upload {
  if (bytes.length === 0) throw emptyBody()
  if (!Value.Check(Fields, beside)) {
    const faults = Value.Errors(Fields, beside)
    const detail = describeFaults(faults, 'beside the document, ')
    throw new ServiceError(422, 'InvalidInput', detail, { errors: inputErrors(faults) })
  }
  const chunkSize = Number(beside.chunk_size ?? CHUNK_SIZE)
  if (chunkSize < MIN_CHUNK_SIZE || chunkSize > MAX_CHUNK_SIZE) {
    throw new ServiceError(422, 'InvalidInput', `chunk_size must be from ${MIN_CHUNK_SIZE} to ${MAX_CHUNK_SIZE}`)
  }
  return {
    bytes,
    mediaType: parseMediaType(contentType),
    filename: baseName(beside.filename ?? name),
    password: beside.password ?? '',
    chunkSize,
    ocr: beside.ocr ?? 'auto'
  }
}

function emptyBody(): ServiceError {
  return new ServiceError(
    400,
    'EmptyBody',
    'the request has no document; send its bytes as the body, or a form with a file'
  )
}

function formError(err: unknown): ServiceError {
  if (err instanceof ServiceError) return err
  const code = err instanceof Error && 'code' in err ? err.code : undefined
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return new ServiceError(413, 'BodyTooLarge', `a file may have ${MAX_BODY} bytes at most`)
  }
  if (code === 'FST_FILES_LIMIT') return new ServiceError(422, 'OneFileAtATime', 'send one file with each request')
  return new ServiceError(400, 'MalformedBody', 'the body is no complete multipart form', {}, err)
}

/** The name of a file as its sender knows it, without folders. */
function baseName(name: string | undefined): string | undefined {
  const base = name
    ?.split(/[\\/]/)
    .at(-1)
    ?.replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, 255)
  return base === '' ? undefined : base
}

function dispositionName(header: string | undefined): string | undefined {
  if (header == null) return undefined
  const encoded = /;\s*filename\*\s*=\s*utf-8''([^;\s]+)/i.exec(header)?.[1]
  if (encoded != null) {
    try {
      return decodeURIComponent(encoded)
    } catch {
      // then the plain one
    }
  }
  const [, quoted, plain] = /;\s*filename\s*=\s*(?:"([^"]*)"|([^;\s]+))/i.exec(header) ?? []
  return quoted ?? plain
}

/** Takes bodies of every type as bytes, in the scope of `app` only. */
export function takeBytes(app: ServiceApp): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: MAX_BODY },
    async (_request: FastifyRequest, body: Buffer) => body
  )
}
