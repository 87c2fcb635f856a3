import { MeshError } from '@hedgerow/protocols/errors'
import { cutMessage, decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from '@hedgerow/protocols/forward'
import { InvalidMessage } from '@hedgerow/protocols/statement'
import type { Decoder } from '../index.ts'

const request = encodeRequest({
  service: 'postgresql',
  requestId: 'c0ffee',
  dataClass: 'internal',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  caller: 'key/k1'
})
const refusal = encodeAnswer(new MeshError('Busy', 'as many as it takes are open', { retry_after: 2 }))

const isInvalid = (err: unknown): boolean => err instanceof InvalidMessage

function messageOf(bytes: Uint8Array): Uint8Array {
  const cut = cutMessage(bytes)
  if (cut == null) return new Uint8Array()
  if (cut.message.byteLength + cut.rest.byteLength > bytes.byteLength) throw new Error('more came out than went in')
  return cut.message
}

export const FORWARD_DECODERS: Decoder[] = [
  {
    name: 'forward-request',
    files: ['protocols/src/forward/messages.ts', 'protocols/src/forward/node/server.ts'],
    seeds: () => [request, Uint8Array.from([...request, 1, 2, 3])],
    decode: bytes => decodeRequest(messageOf(bytes)),
    refuses: isInvalid
  },
  {
    name: 'forward-answer',
    files: ['protocols/src/forward/messages.ts'],
    seeds: () => [refusal, encodeAnswer()],
    decode: bytes => decodeAnswer(messageOf(bytes)),
    refuses: isInvalid
  }
]
