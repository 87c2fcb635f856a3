import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { describeFaults, inputErrors, ServiceError } from '@hedgerow/service-kit'
import type { FastifyRequest } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { NewDocument } from '../documents.ts'
import { MAX_DOCUMENT, MAX_METADATA, MAX_METADATA_FIELDS, MAX_UPLOAD } from '../limits.ts'
import { DATA_CLASS } from '../mesh/messages.ts'
import { CollectionName, DataClass, DEFAULT_COLLECTION, DocumentId, Metadata } from '../store/document.ts'
import { FILE_TYPES, type ReadFile, textOfFile, type UploadedFile } from './document-text.ts'

/** `POST /documents` as JSON. */
export const DocumentBody = Type.Object({
  id: Type.Optional(DocumentId),
  text: Type.String({ minLength: 1, maxLength: MAX_DOCUMENT }),
  metadata: Type.Optional(Metadata),
  collection: Type.Optional(CollectionName)
})

/** What comes beside a file, in the query string or as fields of a form. */
const Beside = Type.Object({
  id: Type.Optional(DocumentId),
  collection: Type.Optional(CollectionName),
  metadata: Type.Optional(Metadata),
  title: Type.Optional(Type.String({ maxLength: 500 })),
  source: Type.Optional(Type.String({ maxLength: 500 }))
})

export interface Upload {
  collection: string
  document: NewDocument
}

/**
 * The document that a request brings: JSON, a file as it is, or a form with one file.
 *
 * @param signal aborted when nobody waits for it any more
 * @throws {ServiceError} 400, 413, 415 or 422, and what document-processing says of a file that isn't text
 */
export async function readUpload(request: FastifyRequest, signal: AbortSignal): Promise<Upload> {
  if (request.isMultipart()) return readForm(request, signal)
  if (request.body instanceof Uint8Array) {
    const type = request.headers['content-type'] ?? ''
    const { text, title } = await textOfFile(request, { bytes: request.body, type }, signal)
    return fromFile(request, text, request.query, title == null ? {} : { title })
  }
  if (typeof request.body === 'string') return fromFile(request, request.body, request.query, {})
  const body = checked(DocumentBody, request.body)
  return upload(request, body, body.metadata ?? {})
}

async function readForm(request: FastifyRequest, signal: AbortSignal): Promise<Upload> {
  const fields: Record<string, unknown> = {}
  let file: (UploadedFile & { name: string }) | undefined
  try {
    for await (const part of request.parts({ limits: { files: 1, fields: 16, fileSize: MAX_UPLOAD } })) {
      if (part.type === 'file') file = { bytes: await part.toBuffer(), type: part.mimetype, name: part.filename }
      else fields[part.fieldname] = part.value
    }
  } catch (err) {
    throw formError(err)
  }
  if (typeof fields.metadata === 'string') fields.metadata = parseMetadata(fields.metadata)
  if (file == null) {
    if (typeof fields.text === 'string') return fromFile(request, fields.text, fields, {})
    throw new ServiceError(422, 'NoFile', 'the form has neither a file nor a field "text"')
  }
  const { text, title } = await readFile(request, file, signal)
  const known = { ...(title == null ? {} : { title }), ...(file.name === '' ? {} : { filename: file.name }) }
  return fromFile(request, text, fields, known)
}

/** A file of a form, whose sender may have no name for what it is: what is UTF-8 is text, unless it is said not to be. */
async function readFile(request: FastifyRequest, file: UploadedFile, signal: AbortSignal): Promise<ReadFile> {
  const saysNothing = file.type === '' || file.type === 'application/octet-stream'
  const isText = saysNothing ? isUtf8(file.bytes) : !FILE_TYPES.includes(file.type)
  return isText ? { text: decode(file.bytes) } : textOfFile(request, file, signal)
}

function formError(err: unknown): ServiceError {
  const code = err instanceof Error && 'code' in err ? err.code : undefined
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return new ServiceError(413, 'BodyTooLarge', `a file may have ${MAX_UPLOAD} bytes at most`)
  }
  if (code === 'FST_FILES_LIMIT') return new ServiceError(422, 'OneFileAtATime', 'send one file with each request')
  return new ServiceError(400, 'MalformedBody', 'the body is no complete multipart form', {}, err)
}

function fromFile(request: FastifyRequest, text: string, beside: unknown, metadata: Static<typeof Metadata>): Upload {
  const { title, source, ...rest } = checked(Beside, beside)
  return upload(
    request,
    { ...rest, text },
    {
      ...metadata,
      ...rest.metadata,
      ...(title == null ? {} : { title }),
      ...(source == null ? {} : { source })
    }
  )
}

function upload(
  request: FastifyRequest,
  { id, text, collection }: { id?: string; text: string; collection?: string },
  metadata: Static<typeof Metadata>
): Upload {
  const size = Buffer.byteLength(text)
  if (size > MAX_DOCUMENT) {
    throw new ServiceError(413, 'BodyTooLarge', `the text has ${size} bytes; ${MAX_DOCUMENT} are the most`)
  }
  if (text.trim() === '') throw new ServiceError(422, 'EmptyDocument', 'the document has no text')
  if (Object.keys(metadata).length > MAX_METADATA_FIELDS || JSON.stringify(metadata).length > MAX_METADATA) {
    throw new ServiceError(
      422,
      'MetadataTooLarge',
      `metadata may have ${MAX_METADATA_FIELDS} fields and ${MAX_METADATA} bytes as JSON at most`
    )
  }
  return {
    collection: collectionOf(request, collection),
    document: { id: id ?? idOf(text, metadata), text, metadata, data_class: dataClassOf(request) }
  }
}

/** The same document sent twice gets the same id, so that a repeated request adds nothing. */
function idOf(text: string, metadata: Static<typeof Metadata>): string {
  const hash = createHash('sha256').update(JSON.stringify(metadata)).update('\n').update(text)
  return `doc-${hash.digest('hex').slice(0, 24)}`
}

/** Named in the body or in the query string, where the mesh looks for it. */
export function collectionOf(request: FastifyRequest, inBody: string | undefined): string {
  const { collection: inQuery } = checked(Type.Object({ collection: Type.Optional(CollectionName) }), request.query)
  if (inBody != null && inQuery != null && inBody !== inQuery) {
    throw new ServiceError(422, 'TwoCollections', 'the body names another collection than the query string')
  }
  return inBody ?? inQuery ?? DEFAULT_COLLECTION
}

function dataClassOf(request: FastifyRequest): string | undefined {
  const value = request.headers[DATA_CLASS]
  if (value == null) return undefined
  if (Value.Check(DataClass, value)) return value
  throw new ServiceError(400, 'BadDataClass', 'Hedgerow-Data-Class must be one word in lower case')
}

/** @throws {ServiceError} 400 */
export function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (err) {
    throw new ServiceError(
      400,
      'NotText',
      'the file is said to be text, but it is not UTF-8; say what it is, as in application/pdf',
      {},
      err
    )
  }
}

function parseMetadata(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (err) {
    throw new ServiceError(400, 'MalformedBody', 'the field "metadata" is no JSON', {}, err)
  }
}

function checked<T extends TSchema>(schema: T, value: unknown): Static<T> {
  if (Value.Check(schema, value)) return value
  const faults = Value.Errors(schema, value)
  throw new ServiceError(422, 'InvalidInput', describeFaults(faults), { errors: inputErrors(faults) })
}
