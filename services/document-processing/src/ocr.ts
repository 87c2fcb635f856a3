import { setTimeout as delay } from 'node:timers/promises'
import { callMesh, ServiceError } from '@hedgerow/service-kit'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { OCR_ATTEMPTS } from './limits.ts'

/** seconds to wait after a refusal that doesn't say, and at most */
const WAIT = 1
const MOST_WAIT = 10
/** bytes; the densest page has some 20 kB of text, and ten times as much of blocks */
const MAX_ANSWER = 8 * 1024 * 1024

type Answer = Awaited<ReturnType<typeof callMesh>>

const Recognized = Type.Object({ text: Type.String(), confidence: Type.Optional(Type.Number()) })
const Problem = Type.Object({
  code: Type.Optional(Type.String({ maxLength: 100 })),
  detail: Type.Optional(Type.String({ maxLength: 2_000 }))
})

export interface Recognized {
  text: string
  /** as vision-ocr gives it */
  confidence?: number
}

/** Why a page could not be read by OCR. */
export class OcrError extends ServiceError {
  /** seconds, when OCR says when to come back */
  readonly retryAfter: string | undefined

  constructor(status: number, code: string, detail: string, page: number, retryAfter?: string, cause?: unknown) {
    super(status, code, detail, { page, service: 'vision-ocr' }, cause)
    this.retryAfter = retryAfter
  }
}

/**
 * Asks `vision-ocr` for the text of a page, wherever in the mesh it is. When all its workers are busy it waits for
 * them; any other refusal ends the document, so that none is answered with a page missing.
 *
 * @throws {ServiceError}
 */
export async function recognize(
  request: FastifyRequest,
  png: Uint8Array,
  page: number,
  signal: AbortSignal
): Promise<Recognized> {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(request, png, page, signal)
    if (answer.statusCode === 200) return checked(await contents(answer.body, page), page)
    if (answer.statusCode !== 429 || attempt === OCR_ATTEMPTS) throw await refusal(answer, page)
    await answer.body.dump()
    await delay(secondsToWait(answer) * 1000, undefined, { signal })
  }
}

async function ask(request: FastifyRequest, body: Uint8Array, page: number, signal: AbortSignal): Promise<Answer> {
  try {
    return await callMesh(request, {
      method: 'POST',
      path: 'vision-ocr/recognize',
      headers: { 'content-type': 'image/png', accept: 'application/json' },
      body,
      signal
    })
  } catch (err) {
    signal.throwIfAborted()
    if (err instanceof ServiceError)
      throw new OcrError(err.status, err.code, `page ${page} needs OCR, but ${err.message}`, page)
    throw new OcrError(502, 'OcrFailed', `page ${page} needs OCR, but the mesh did not answer`, page, undefined, err)
  }
}

/** Statuses that say something about when or whether OCR can be had; others are OCR's trouble with a page we made. */
const PASSED_ON = new Set([403, 429, 502, 503, 504])

async function refusal(answer: Answer, page: number): Promise<OcrError> {
  const { statusCode: status } = answer
  const problem = parse(await contents(answer.body, page))
  const { code = 'OcrFailed', detail = `it answered ${status}` } = Value.Check(Problem, problem) ? problem : {}
  const passedOn = PASSED_ON.has(status)
  return new OcrError(
    passedOn ? status : 502,
    passedOn ? code : 'OcrFailed',
    `page ${page} could not be read by vision-ocr: ${detail}`,
    page,
    retryAfter(answer)
  )
}

function checked(json: string, page: number): Recognized {
  const recognized = parse(json)
  if (Value.Check(Recognized, recognized)) return recognized
  throw new OcrError(502, 'OcrFailed', `vision-ocr's answer for page ${page} has no text`, page)
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

async function contents(body: Answer['body'], page: number): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of body) {
      size += part.length
      if (size > MAX_ANSWER) break
      parts.push(part)
    }
  } catch (err) {
    throw new OcrError(502, 'OcrFailed', `vision-ocr's answer for page ${page} broke off`, page, undefined, err)
  }
  if (size > MAX_ANSWER) throw new OcrError(502, 'OcrFailed', `vision-ocr's answer for page ${page} is too long`, page)
  return Buffer.concat(parts).toString('utf8')
}

function retryAfter({ headers }: Answer): string | undefined {
  const value = headers['retry-after']
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? value : undefined
}

function secondsToWait(answer: Answer): number {
  return Math.min(MOST_WAIT, Math.max(0.1, Number(retryAfter(answer) ?? WAIT)))
}
