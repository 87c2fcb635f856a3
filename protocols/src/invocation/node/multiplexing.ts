/**
 * Yamux, with fewer and fuller messages below it. What goes over the wire is the same; any libp2p peer can be at the
 * other end.
 *
 * Each frame that a stream sends would be encrypted and written by itself, and each frame that it receives answered by
 * a window update. Here the frames that are sent while the event loop handles what it has read leave together, and
 * window updates wait until they add up to something.
 */
import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'
import { Uint8ArrayList } from 'uint8arraylist'
import { BATCH_SIZE, MAX_HELD_UPDATES, NOISE_MESSAGE, WINDOW_UPDATE_SIZE, YAMUX } from './constants.ts'

/** A stream muxer for {@link https://libp2p.github.io/js-libp2p/interfaces/libp2p.index.Libp2pInit.html Libp2pInit}. */
export function multiplexing(init: YamuxMuxerInit = YAMUX): () => StreamMuxerFactory {
  const create = yamux(init)
  return () => {
    const factory = create()
    const { createStreamMuxer } = factory
    factory.createStreamMuxer = connection => createStreamMuxer.call(factory, batched(connection))
    return factory
  }
}

/** Makes `send` of a connection collect what it is given. */
function batched(connection: MessageStream): MessageStream {
  const batch = new FrameBatch(connection)
  connection.send = frame => batch.send(frame)
  return connection
}

/** yamux: version, type, flags (2), stream id (4), length or window (4) */
const HEADER_LENGTH = 12
const WINDOW_UPDATE = 1
const GO_AWAY = 3
const FIN_OR_RST = 0b1100

/** How much of a batch should leave now. Whole messages of Noise, if there are any: the end of a large frame waits. */
function due(pending: number): number {
  if (pending < BATCH_SIZE) return 0
  return pending < NOISE_MESSAGE ? pending : pending - (pending % NOISE_MESSAGE)
}

class FrameBatch {
  readonly #send: MessageStream['send']
  readonly #held = new Map<number, number>()
  #pending = new Uint8ArrayList()
  #scheduled = false
  /** the connection asked to wait, and has not drained since */
  #saturated = false

  constructor(connection: MessageStream) {
    this.#send = connection.send.bind(connection)
    connection.addEventListener('drain', () => {
      this.#saturated = false
    })
  }

  /** @param frame exactly one, as the muxer sends them: a header, or a list of a header and data */
  send(frame: Uint8Array | Uint8ArrayList): boolean {
    const type = frame instanceof Uint8Array ? this.#control(frame) : undefined
    if (type === 'held') return !this.#saturated
    this.#pending.append(frame)
    // the connection is closed at once after a GoAway
    this.#flush(type === GO_AWAY ? this.#pending.byteLength : due(this.#pending.byteLength))
    if (this.#pending.byteLength > 0 && !this.#scheduled) {
      this.#scheduled = true
      setImmediate(this.#tick)
    }
    return !this.#saturated
  }

  #tick = (): void => {
    this.#scheduled = false
    try {
      this.#flush(this.#pending.byteLength)
    } catch {
      // The connection closed in the meantime, which the muxer hears from the connection itself.
    }
  }

  #flush(length: number): void {
    if (length === 0) return
    let batch = this.#pending
    if (length === batch.byteLength) {
      this.#pending = new Uint8ArrayList()
    } else {
      batch = this.#pending.sublist(0, length)
      this.#pending.consume(length)
    }
    if (!this.#send(batch)) this.#saturated = true
  }

  /** @returns the type of a frame without data, or that it need not be sent yet */
  #control(frame: Uint8Array): number | 'held' | undefined {
    if (frame.byteLength !== HEADER_LENGTH) return undefined
    const view = new DataView(frame.buffer, frame.byteOffset, HEADER_LENGTH)
    const type = view.getUint8(1)
    if (type !== WINDOW_UPDATE) return type
    const flags = view.getUint16(2)
    const stream = view.getUint32(4)
    const size = view.getUint32(8) + (this.#held.get(stream) ?? 0)
    this.#held.delete(stream)
    if (flags === 0 && size < WINDOW_UPDATE_SIZE) {
      this.#held.set(stream, size)
      if (this.#held.size > MAX_HELD_UPDATES) this.#release()
      return 'held'
    }
    // who ends a stream grants no more window
    if ((flags & FIN_OR_RST) === 0) view.setUint32(8, size)
    return type
  }

  /** Sends the update that was held longest; its stream may be gone, which the other side doesn't mind. */
  #release(): void {
    for (const [stream, size] of this.#held) {
      const view = new DataView(new ArrayBuffer(HEADER_LENGTH))
      view.setUint8(1, WINDOW_UPDATE)
      view.setUint32(4, stream)
      view.setUint32(8, size)
      this.#held.delete(stream)
      this.#pending.append(new Uint8Array(view.buffer))
      return
    }
  }
}
