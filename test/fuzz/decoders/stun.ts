import { bindingRequest, readBinding } from '../../../inspector/src/commands/doctor/stun.ts'
import type { Decoder } from '../index.ts'

/** Of the request that the seeds answer. */
const ID = Uint8Array.from({ length: 12 }, (_, i) => i + 1)
const MAPPED = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]
/** What of it nobody asked for, with three bytes and one of padding. */
const SOFTWARE = [0x80, 0x22, 0x00, 0x03, 97, 98, 99, 0]

function answer(...attributes: number[][]): Uint8Array {
  const body = attributes.flat()
  const head = Uint8Array.from(bindingRequest(ID))
  head.set([0x01, 0x01, 0x00, body.length])
  return Uint8Array.from([...head, ...body])
}

export const STUN_DECODERS: Decoder[] = [
  {
    name: 'stun-binding',
    files: ['inspector/src/commands/doctor/stun.ts'],
    seeds: () => [answer(MAPPED), answer(SOFTWARE, MAPPED), answer()],
    decode: bytes => readBinding(Buffer.from(bytes), ID)
  }
]
