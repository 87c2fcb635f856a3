/** Runs in a worker thread: turns notes into letters, which takes up to seconds of the processor where they are long. */
import { setImmediate as breathe } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { ServiceError } from '@hedgerow/service-kit'
import { loadConfig } from '../config.ts'
import { Converter } from '../convert.ts'
import { rephraser, Unavailable } from '../rephrase.ts'
import type { ConvertTask, FromThread, Rewrite, ToThread } from './messages.ts'

const config = await loadConfig(String(workerData))
const converter = new Converter(config)
const wanted = new Set<number>()
const questions = new Map<number, (rewrite: Rewrite) => void>()
let lastQuestion = 0

parentPort?.on('message', (message: ToThread) => {
  if ('convert' in message) void convert(message.convert)
  else if ('forget' in message) wanted.delete(message.forget)
  else {
    questions.get(message.question)?.(message.rewrite)
    questions.delete(message.question)
  }
})
send({ started: true })

function send(message: FromThread): void {
  parentPort?.postMessage(message, 'answer' in message ? [message.answer.buffer as ArrayBuffer] : [])
}

async function convert({ number, notes, people, format, rephrase }: ConvertTask): Promise<void> {
  wanted.add(number)
  // whatever else has come is heard first: perhaps that nobody waits for this any more
  await breathe()
  if (!wanted.has(number)) return
  try {
    const ask = (paragraph: string): Promise<string> => askModel(number, paragraph)
    const letter = await converter.convert(
      notes,
      people,
      format,
      rephrase ? rephraser(ask, converter.lexicon, config) : undefined
    )
    // encode() makes a buffer of its own, which can be handed over
    send({ number, answer: new TextEncoder().encode(JSON.stringify(letter)) })
  } catch (err) {
    if (err instanceof ServiceError) {
      const { status, code, message: detail, extensions } = err
      send({ number, refusal: { status, code, detail, extensions } })
    } else send({ number, failed: { message: String(err), stack: err instanceof Error ? err.stack : undefined } })
  } finally {
    wanted.delete(number)
  }
}

/** @throws {Unavailable} */
async function askModel(number: number, paragraph: string): Promise<string> {
  const question = ++lastQuestion
  const rewrite = await new Promise<Rewrite>(resolve => {
    questions.set(question, resolve)
    send({ number, question, paragraph })
  })
  if ('text' in rewrite) return rewrite.text
  throw new Unavailable(rewrite.unavailable)
}
