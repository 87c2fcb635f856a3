import { callMesh, ServiceError } from '@hedgerow/service-kit'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { MAX_DOCUMENT } from '../limits.ts'

/** Files that document-processing turns into text. What curl sends a file as that it has no name for is among them. */
export const FILE_TYPES: readonly string[] = [
  'application/pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'text/html',
  'application/octet-stream'
]

export interface UploadedFile {
  bytes: Uint8Array
  /** as its sender calls it */
  type: string
}

export interface ReadFile {
  text: string
  /** the document's own */
  title?: string
}

/** bytes of an answer: the text comes several times (whole, by page, by chunk), escaped, with what is known of it */
const MAX_ANSWER = 8 * MAX_DOCUMENT
const Processed = Type.Object({
  text: Type.String(),
  metadata: Type.Optional(Type.Object({ title: Type.Optional(Type.String()) }))
})
const Problem = Type.Object({ code: Type.String({ maxLength: 100 }), detail: Type.String({ maxLength: 2000 }) })

/**
 * The text of a file, by `document-processing`, wherever in the mesh it is, on behalf of the request that brought it.
 *
 * @throws {ServiceError} what document-processing answered, or 502 and 503 when it can't be asked
 */
export async function textOfFile(
  request: FastifyRequest,
  { bytes, type }: UploadedFile,
  signal: AbortSignal
): Promise<ReadFile> {
  const { statusCode, body } = await ask(request, bytes, type, signal)
  const answer = parse(await contents(body))
  if (statusCode === 200 && Value.Check(Processed, answer)) {
    const title = answer.metadata?.title
    return { text: answer.text, ...(title == null ? {} : { title }) }
  }
  const { code, detail } = Value.Check(Problem, answer)
    ? answer
    : { code: 'NotRead', detail: `it answered ${statusCode} with what is no document` }
  const status = statusCode >= 400 && statusCode < 600 ? statusCode : 502
  throw new ServiceError(status, code, `document-processing could not read the file: ${detail}`)
}

type Answer = Awaited<ReturnType<typeof callMesh>>

async function ask(request: FastifyRequest, body: Uint8Array, type: string, signal: AbortSignal): Promise<Answer> {
  const headers = { 'content-type': type, accept: 'application/json' }
  try {
    return await callMesh(request, { method: 'POST', path: 'document-processing/process', headers, body, signal })
  } catch (err) {
    signal.throwIfAborted()
    const why = err instanceof ServiceError ? err.message : 'the mesh did not answer'
    const [status, code] = err instanceof ServiceError ? [err.status, err.code] : [502, 'NotRead']
    throw new ServiceError(status, code, `document-processing reads such a file, but ${why}`, {}, err)
  }
}

async function contents(body: Answer['body']): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of body) {
      size += part.length
      if (size > MAX_ANSWER) throw new ServiceError(413, 'BodyTooLarge', 'the file holds more text than a document may')
      parts.push(part)
    }
  } catch (err) {
    if (err instanceof ServiceError) throw err
    throw new ServiceError(502, 'NotRead', "document-processing's answer broke off", {}, err)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
