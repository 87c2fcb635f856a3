import type { Stream } from '@libp2p/interface'
import { HELD_INTERVAL, MAX_HELD } from './constants.ts'

/**
 * Streams of peers that have yet to prove themselves. None of them is read, nor told to send more than it may at first; and
 * when all of them together hold more than they may, those that hold most are reset, since what belongs to a member's
 * first moments is small.
 */
export class HeldStreams {
  readonly #streams = new Set<Stream>()
  readonly #reset: (stream: Stream) => void
  readonly #max: number
  #timer: ReturnType<typeof setInterval> | undefined

  /** @param reset what becomes of one that holds too much @param max bytes in all */
  constructor(reset: (stream: Stream) => void, max = MAX_HELD) {
    this.#reset = reset
    this.#max = max
  }

  add(stream: Stream): void {
    if (canRead(stream)) stream.pause()
    this.#streams.add(stream)
    this.#timer ??= setInterval(() => this.check(), HELD_INTERVAL)
  }

  /** It goes on, or has ended. */
  release(stream: Stream): void {
    this.#streams.delete(stream)
    if (canRead(stream)) stream.resume()
    if (this.#streams.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Resets those that hold most until the others may stay. */
  check(): void {
    const held = [...this.#streams].sort((a, b) => a.readBufferLength - b.readBufferLength)
    let total = 0
    for (const stream of held) {
      total += stream.readBufferLength
      if (total > this.#max) this.#reset(stream)
    }
  }
}

function canRead({ readStatus }: Stream): boolean {
  return readStatus !== 'closed' && readStatus !== 'closing'
}
