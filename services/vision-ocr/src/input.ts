import { inputErrors, type ServiceApp, ServiceError } from '@hedgerow/service-kit'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { BODY_LIMIT } from './limits.ts'

/** What frontends send: the picture in text. */
export const JsonBody = Type.Object({
  image: Type.String({ minLength: 1, description: 'base64, or a data URL, of a picture or a PDF' })
})

const DATA_URL = /^data:([^,]*?)(;base64)?,/i
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

export interface Upload {
  bytes: Uint8Array
  /** what the sender says it is */
  mediaType: string | undefined
}

/**
 * The picture that a request brings: the body as it is, a form with one file, or JSON.
 *
 * @throws {ServiceError} 400, 413 or 422
 */
export async function readUpload(request: FastifyRequest): Promise<Upload> {
  const upload = request.isMultipart() ? await readForm(request) : readBody(request)
  if (upload.bytes.length > 0) return upload
  throw new ServiceError(400, 'EmptyBody', 'the request has no picture; send its bytes as the body, or a form')
}

function readBody({ body, headers }: FastifyRequest): Upload {
  if (body instanceof Uint8Array) return { bytes: body, mediaType: headers['content-type'] }
  if (body === undefined) return { bytes: new Uint8Array(), mediaType: undefined }
  if (Value.Check(JsonBody, body)) return fromText(body.image)
  const errors = inputErrors(Value.Errors(JsonBody, body))
  throw new ServiceError(422, 'InvalidInput', 'the body must be {"image": "..."}, in base64 or a data URL', { errors })
}

function fromText(image: string): Upload {
  const [head = '', mediaType, base64] = DATA_URL.exec(image) ?? []
  const text = image.slice(head.length).replace(/\s+/g, '')
  if ((head !== '' && base64 == null) || !BASE64.test(text)) {
    throw new ServiceError(422, 'InvalidInput', '"image" must be base64, or a data URL in base64')
  }
  return { bytes: Buffer.from(text, 'base64'), mediaType }
}

async function readForm(request: FastifyRequest): Promise<Upload> {
  try {
    const file = await request.file({ limits: { files: 1, fields: 16, fieldSize: 4096, fileSize: BODY_LIMIT } })
    if (file != null) return { bytes: await file.toBuffer(), mediaType: file.mimetype }
  } catch (err) {
    const code = err instanceof Error && 'code' in err ? err.code : undefined
    if (code === 'FST_REQ_FILE_TOO_LARGE') {
      throw new ServiceError(413, 'BodyTooLarge', `a file may have ${BODY_LIMIT} bytes at most`)
    }
    throw new ServiceError(400, 'MalformedBody', 'the body is no complete multipart form', {}, err)
  }
  throw new ServiceError(422, 'NoFile', 'the form has no file; send one with a filename')
}

/** Takes bodies of every type but JSON as bytes, in the scope of `app` only. */
export function takeBytes(app: ServiceApp): void {
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => body)
}
