import { callMesh, ServiceError } from '@hedgerow/service-kit'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { AskModel } from './thread/converting-thread.ts'

/** Milliseconds for all questions about one letter, where the caller gives no deadline. */
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

/**
 * Asks `llm-inference` through the mesh on behalf of the request. Once it can't be had for one paragraph, the others are
 * given up as well.
 */
export function modelOf(request: FastifyRequest, left: AbortSignal): AskModel {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, left, AbortSignal.timeout(budget(request))])
  return async paragraph => {
    try {
      return { text: await ask(request, paragraph, signal) }
    } catch (err) {
      stop.abort()
      const known = err instanceof ServiceError
      return { unavailable: known ? `${err.code}: ${err.message}` : 'llm-inference did not answer in time' }
    }
  }
}
