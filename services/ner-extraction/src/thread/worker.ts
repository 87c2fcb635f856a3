/**
 * Runs in a worker thread: reads texts and writes the answers as JSON, several at once, a stretch of one and then a
 * stretch of the next, so that a short text doesn't wait for a long one.
 */
import { setImmediate as breathe } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import type { EntityType } from '../entity.ts'
import { Extractor } from '../extract.ts'
import { MAX_ENTITIES } from '../limits.ts'
import type { FromThread, ReadTask, ToThread } from './messages.ts'

const extractor = new Extractor()
// the first text would otherwise pay for what is compiled and loaded on first use
extractor.extract('Mrs Jane Smith of Halesworth owes Fenwick Elms £12 since May 2024.')

const wanted = new Set<number>()

parentPort?.on('message', (message: ToThread) => {
  if ('forget' in message) wanted.delete(message.forget)
  else void read(message.read)
})
answer({ sizes: extractor.sizes })

function answer(message: FromThread): void {
  parentPort?.postMessage(message, 'answer' in message ? [message.answer.buffer as ArrayBuffer] : [])
}

async function read({ number, text, types, least }: ReadTask): Promise<void> {
  wanted.add(number)
  const found = new Map<EntityType, number>()
  const parts: string[] = []
  let entities = 0
  for (const segment of extractor.segments(text)) {
    for (const entity of segment) {
      if (entity.confidence < least || (types != null && !types.includes(entity.type))) continue
      parts.push(JSON.stringify(entity))
      found.set(entity.type, (found.get(entity.type) ?? 0) + 1)
      entities++
    }
    if (entities > MAX_ENTITIES) break
    await breathe()
    if (!wanted.has(number)) return
  }
  wanted.delete(number)
  if (entities > MAX_ENTITIES) answer({ number, tooMany: true })
  // encode() makes a buffer of its own, which can be handed over; Buffer's may be part of a shared one
  else answer({ number, found, answer: new TextEncoder().encode(`{"entities":[${parts.join(',')}]}`) })
}
