/** Who is waiting for a text to be embedded: someone who asks, someone who writes, or nobody in particular. */
export type Urgency = 'question' | 'write' | 'background'

const ORDER: readonly Urgency[] = ['question', 'write', 'background']

/**
 * Says whose turn it is: the urgent before the others, and among equals one text of each in rotation, so that a letter
 * doesn't wait for a book.
 */
export class Turns<Job> {
  readonly #waiting: Record<Urgency, Job[]> = { question: [], write: [], background: [] }

  add(job: Job, urgency: Urgency): void {
    this.#waiting[urgency].push(job)
  }

  /** Takes the next one out; {@link add} it again if it has more to do. */
  next(): { job: Job; urgency: Urgency } | undefined {
    for (const urgency of ORDER) {
      const job = this.#waiting[urgency].shift()
      if (job != null) return { job, urgency }
    }
    return undefined
  }
}
