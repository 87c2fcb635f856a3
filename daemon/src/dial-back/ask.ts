import type { Invoker } from '@hedgerow/protocols/invocation'
import { SCOPES, type Scope } from '@hedgerow/protocols/vouch'
import { Ajv } from 'ajv'
import { fromString } from 'uint8arrays/from-string'
import { askPeer } from '../discovery/ask.ts'
import { DIAL_BACK_PATH } from './constants.ts'
import { type DialBackResult, OUTCOMES } from './outcome.ts'

/** As it goes over the wire; `vouch` in base64. */
export type DialBackAnswer =
  | { outcome: 'reached'; scope: Scope; vouch: string }
  | { outcome: Exclude<DialBackResult['outcome'], 'reached'> }

const check = new Ajv({ discriminator: true }).compile<DialBackAnswer>({
  type: 'object',
  required: ['outcome'],
  discriminator: { propertyName: 'outcome' },
  oneOf: [
    {
      required: ['scope', 'vouch'],
      properties: {
        outcome: { const: 'reached' },
        scope: { enum: SCOPES },
        vouch: { type: 'string', maxLength: 2048, pattern: '^[A-Za-z0-9+/]*=*$' }
      }
    },
    { properties: { outcome: { enum: OUTCOMES.filter(outcome => outcome !== 'reached') } } }
  ]
})

/** Asks a peer to dial this one. @throws {Error} when it doesn't answer, or doesn't know the question */
export async function askDialBack(
  invoker: Pick<Invoker, 'invoke'>,
  peerId: string,
  addr: string,
  signal: AbortSignal
): Promise<DialBackResult> {
  const { status, body } = await askPeer(invoker, peerId, DIAL_BACK_PATH, {
    signal,
    maxBytes: 16 * 1024,
    json: { addr }
  })
  if (status !== 200) throw new Error(`the peer answers ${status}`)
  return readAnswer(body)
}

/** @throws {Error} when it is none */
export function readAnswer(body: Uint8Array): DialBackResult {
  const answer: unknown = JSON.parse(new TextDecoder().decode(body))
  if (!check(answer)) throw new Error('the answer has another form')
  return answer.outcome === 'reached' ? { ...answer, vouch: fromString(answer.vouch, 'base64pad') } : answer
}
