import { setImmediate as turn } from 'node:timers/promises'
import { multiplexing } from '@hedgerow/protocols/invocation/node'
import { streamPair } from '@libp2p/utils'
import { acceptStreams } from '../../../protocols/src/invocation/streams/index.ts'
import type { Decoder } from '../index.ts'

/** A frame of yamux: version, type, flags, stream, length. */
function frame(type: number, flags: number, stream: number, length: number, data: number[] = []): number[] {
  const u32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
  return [0, type, flags >> 8, flags & 255, ...u32(stream), ...u32(length), ...data]
}
const SYN = 1
const FIN = 4
const RST = 8

const opened = frame(1, SYN, 1, 0)
const CONVERSATIONS = [
  [...opened, ...frame(0, 0, 1, 5, [104, 101, 108, 108, 111]), ...frame(0, FIN, 1, 0)],
  [...opened, ...frame(1, 0, 1, 100_000), ...frame(2, SYN, 0, 7), ...frame(0, RST, 1, 0)],
  [...opened, ...frame(1, SYN, 3, 0), ...frame(0, 0, 3, 2, [1, 2]), ...frame(3, 0, 0, 0)]
]

export const STREAM_DECODERS: Decoder[] = [
  {
    name: 'yamux-in-a-stream',
    files: ['protocols/src/invocation/streams/index.ts', 'protocols/src/invocation/node/server.ts'],
    seeds: () => CONVERSATIONS.map(one => Uint8Array.from(one)),
    decode: async bytes => {
      const [outbound, inbound] = await streamPair()
      let streams = 0
      let received = 0
      acceptStreams(inbound, multiplexing()(), stream => {
        streams++
        stream.addEventListener('message', ({ data }) => {
          received += data.byteLength
        })
      })
      if (bytes.byteLength > 0) outbound.send(bytes)
      await turn()
      await turn()
      for (const stream of [outbound, inbound]) stream.abort(new Error('done'))
      if (received > bytes.byteLength) throw new Error('more came out than went in')
      return { streams, received }
    }
  }
]
