import type { Duplex } from 'node:stream'
import { pEvent } from 'p-event'
import { InvalidMessage } from '../../statement/index.ts'
import { cutMessage } from '../index.ts'

/**
 * The message that a stream begins with; what has come after it stays to be read.
 *
 * @throws {InvalidMessage} when there is none
 */
export async function readMessage(duplex: Duplex, signal: AbortSignal): Promise<Uint8Array> {
  let received: Uint8Array = new Uint8Array()
  for (;;) {
    const piece: unknown = duplex.read()
    if (piece instanceof Uint8Array) {
      received = received.byteLength === 0 ? piece : Buffer.concat([received, piece])
      const cut = cutMessage(received)
      if (cut == null) continue
      if (cut.rest.byteLength > 0) duplex.unshift(cut.rest)
      return cut.message
    }
    if (duplex.errored != null) throw duplex.errored
    if (duplex.readableEnded || duplex.destroyed) throw new InvalidMessage('the stream ended before its first message')
    await pEvent(duplex, ['readable', 'end', 'close'], { signal, rejectionEvents: ['error'] })
  }
}
