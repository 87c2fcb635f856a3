/** A fixed number of things that are lent one at a time, in the order in which they are asked for. */
export class Turns<T> {
  readonly #free: T[]
  readonly #waiting: Array<(thing: T) => void> = []

  constructor(things: T[]) {
    this.#free = [...things]
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** @throws the signal's reason, when it aborts before there is something to lend */
  async lend<R>(signal: AbortSignal, work: (thing: T) => Promise<R>): Promise<R> {
    const thing = await this.#take(signal)
    try {
      return await work(thing)
    } finally {
      const next = this.#waiting.shift()
      if (next == null) this.#free.push(thing)
      else next(thing)
    }
  }

  #take(signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      // the one used last: others may be given up when they have been idle for long
      const thing = this.#free.pop()
      if (thing !== undefined) {
        resolve(thing)
        return
      }
      const turn = (lent: T): void => {
        signal.removeEventListener('abort', leave)
        resolve(lent)
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1)
        reject(signal.reason)
      }
      this.#waiting.push(turn)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}
