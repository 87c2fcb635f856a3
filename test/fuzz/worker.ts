/** A thread that feeds decoders, one after the other as it is told, and leaves a note of what it is at. */
import { parentPort, workerData } from 'node:worker_threads'
import { DECODERS } from './decoders/index.ts'
import { Note } from './note.ts'
import { run } from './run.ts'

export interface Task {
  decoder: string
  seed: number
  time: number
}

const note = new Note(workerData.note)
process.on('unhandledRejection', err => {
  throw err
})
parentPort?.on('message', async ({ decoder: name, seed, time }: Task) => {
  const decoder = DECODERS.find(one => one.name === name)
  if (decoder == null) throw new Error(`no decoder is called ${name}`)
  parentPort?.postMessage(await run(decoder, { seed, time, before: input => note.write(input) }))
})
