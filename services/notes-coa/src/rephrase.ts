import { callMesh, clientLeft, ServiceError } from '@hedgerow/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { type Config, phrases } from './config.ts'
import type { Rephrase } from './convert.ts'
import { oneLine, type Piece } from './letter/pieces.ts'
import type { View } from './letter/view.ts'
import type { Warning } from './letter/warnings.ts'
import type { Lexicon } from './lexicon.ts'
import { keepsFacts } from './rewrite.ts'

/** Quotations that are sent to the model for one letter; the rest stay as they are. */
const MAX_PARAGRAPHS = 16
/** Requests to the model at a time, for one letter. */
const AT_ONCE = 2
/** Milliseconds for all of them, where the caller gives no deadline. */
const TIME = 45_000
/** Milliseconds of a caller's deadline that are kept for the letter itself. */
const RESERVE = 2_000
const MAX_TOKENS = 300

const INSTRUCTION =
  "You reword notes that a debt adviser made, for a letter to the client. Write to the client as 'you', in plain English, in one or two sentences. " +
  'Keep every amount, date, number and name exactly as it is written. Add nothing and leave nothing out. Answer with the reworded text alone.'

const Answer = Type.Object({
  choices: Type.Array(Type.Object({ message: Type.Object({ content: Type.String({ maxLength: 20_000 }) }) }), {
    minItems: 1
  })
})

/** The paragraphs of a letter that are free text. */
function paragraphs(view: View): Piece[] {
  const remarks = view.options.flatMap(option => option.remarks)
  const decision = view.decision == null ? [] : [view.decision.remark]
  return [...view.problem, ...view.circumstances, ...remarks, ...decision, ...view.reasons]
}

function budget(request: FastifyRequest): number {
  const seconds = Number(request.headers['hedgerow-timeout'])
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(TIME, Math.max(0, seconds * 1000 - RESERVE)) : TIME
}

async function ask(request: FastifyRequest, paragraph: string, signal: AbortSignal): Promise<string> {
  const { statusCode, body } = await callMesh(request, {
    method: 'POST',
    path: 'llm-inference/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      messages: [
        { role: 'system', content: INSTRUCTION },
        { role: 'user', content: paragraph }
      ],
      temperature: 0,
      max_tokens: MAX_TOKENS,
      stream: false
    }),
    signal
  })
  if (statusCode !== 200) {
    await body.dump()
    throw new ServiceError(503, 'NoModel', `llm-inference answered ${statusCode}`)
  }
  const answer: unknown = await body.json()
  if (!Value.Check(Answer, answer))
    throw new ServiceError(502, 'NoModel', 'llm-inference did not answer with a chat completion')
  return answer.choices[0]?.message.content ?? ''
}

/** Quotation marks belong to quotations; a rewrite is none. */
function bare(text: string): string {
  return oneLine(text).replace(/^["“']+|["”']+$/g, '')
}

/**
 * Has `llm-inference` reword the free text of a letter. A rewrite that changes an amount, a date or a name is refused;
 * without a model the letter is made without. Either is said in the warnings.
 */
export function rephraser(request: FastifyRequest, reply: FastifyReply, lexicon: Lexicon, config: Config): Rephrase {
  return async view => {
    const pieces = paragraphs(view).slice(0, MAX_PARAGRAPHS)
    const queue = [...pieces]
    const warnings: Warning[] = []
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, clientLeft(reply), AbortSignal.timeout(budget(request))])
    let refused = 0
    let unavailable: string | undefined
    const work = async (): Promise<void> => {
      for (let piece = queue.shift(); piece != null && unavailable == null; piece = queue.shift()) {
        const original = bare(piece.text)
        try {
          const rewrite = bare(await ask(request, original, signal))
          if (keepsFacts(original, rewrite, lexicon, phrases(config.letter.rephrase_starters)))
            Object.assign(piece, { text: rewrite, from: 'model' })
          else refused += 1
        } catch (err) {
          unavailable ??=
            err instanceof ServiceError ? `${err.code}: ${err.message}` : 'llm-inference did not answer in time'
          stop.abort()
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    if (unavailable != null)
      warnings.push({
        code: 'RephraseUnavailable',
        detail: `the letter quotes the notes where it could not be reworded (${unavailable})`
      })
    if (refused > 0)
      warnings.push({
        code: 'RephraseRefused',
        detail: `${refused} of ${pieces.length} rewrites changed an amount, a date or a name; the notes' own words were kept`
      })
    return warnings
  }
}
