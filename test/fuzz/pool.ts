import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Outcome } from './index.ts'
import { Note } from './note.ts'
import type { Task } from './worker.ts'

/** Milliseconds that one input may take: whoever sends such a one stops a peer for so long. */
const HANG = 20_000
/** MiB of heap that a thread may have: what grows with each input is found. */
const MAX_HEAP = 768

export interface PoolInit {
  decoders: string[]
  threads: number
  seed: number
  /** milliseconds, in all threads together */
  time: number
  onOutcome?(outcome: Outcome): void
}

/** Spreads decoders over threads, each for its share of the time. */
export async function fuzz({ decoders, threads, seed, time, onOutcome }: PoolInit): Promise<Outcome[]> {
  const queue = [...decoders]
  const share = Math.max(200, Math.floor(time / decoders.length))
  const outcomes: Outcome[] = []
  const work = async (): Promise<void> => {
    for (let decoder = queue.shift(); decoder != null; decoder = queue.shift()) {
      // A thread of its own: what one decoder leaves behind is no burden of the next.
      const outcome = await runInThread({ decoder, seed, time: share })
      outcomes.push(outcome)
      onOutcome?.(outcome)
    }
  }
  await Promise.all(Array.from({ length: Math.min(threads, decoders.length) }, work))
  return outcomes
}

async function runInThread(task: Task): Promise<Outcome> {
  const memory = Note.create()
  const note = new Note(memory)
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { note: memory },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP }
  })
  const failed = (reason: string): Outcome => ({
    decoder: task.decoder,
    runs: note.count,
    finding: { decoder: task.decoder, seed: task.seed, reason, input: note.input }
  })
  const hung = Promise.withResolvers<Outcome>()
  let seen = -1
  const watchdog = setInterval(() => {
    if (note.count === seen && seen > 0) hung.resolve(failed(`it took more than ${HANG / 1000} s`))
    seen = note.count
  }, HANG)
  try {
    worker.postMessage(task)
    return await Promise.race([
      once(worker, 'message').then(([outcome]) => outcome as Outcome),
      once(worker, 'exit').then(([code]) => failed(`the thread ended with code ${code}`)),
      hung.promise
    ])
  } catch (err) {
    return failed(err instanceof Error ? (err.stack ?? err.message) : String(err))
  } finally {
    clearInterval(watchdog)
    await worker.terminate()
  }
}
