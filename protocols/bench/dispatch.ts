/**
 * What dispatch itself costs: its own work for a request, with workers that answer at once and no network.
 *
 *     node --conditions=hedgerow-source protocols/bench/dispatch.ts ['3 workers']
 *
 * CPU time, not time on the clock, so that other work on the machine doesn't count.
 */
import { createDispatcher, type DispatchRequest } from '../src/dispatch/index.ts'
import type { Invoker } from '../src/invocation/index.ts'
import { createView } from '../src/view/index.ts'
import { advert, contract, load } from '../test/support/samples.ts'

const REQUESTS = 50_000
const ROUNDS = 5
const body = new TextEncoder().encode(JSON.stringify({ text: 'x'.repeat(1000) }))
const headers = {
  host: '127.0.0.1:8080',
  connection: 'keep-alive',
  'content-type': 'application/json',
  'content-length': String(body.byteLength),
  accept: '*/*',
  'accept-encoding': 'gzip',
  'user-agent': 'bench',
  'x-forwarded-for': '10.0.0.1'
}
const answerHeaders = { 'content-type': 'application/json', 'content-length': '1024', date: 'Thu', etag: '"1"' }

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield body
}
const answered: Invoker['invoke'] = async (_peer, { body }) => {
  if (body != null && Symbol.asyncIterator in body) for await (const piece of body) if (piece.byteLength === 0) break
  return { status: 200, headers: answerHeaders, body: pieces() }
}
const arrivedWhole: Invoker['invoke'] = () =>
  Promise.resolve({ status: 200, headers: answerHeaders, body: pieces(), complete: body })

const isTimer = (timer: unknown): timer is NodeJS.Timeout => typeof timer === 'object' && timer != null

interface Setting {
  workers: number
  concurrency: number
  answer: Invoker['invoke']
  streamed: boolean
}

async function measure({ workers, concurrency, answer, streamed }: Setting): Promise<number> {
  const now = (): number => performance.now()
  const view = createView({ now })
  const promised = contract({ concurrency: 64 })
  for (let i = 0; i < workers; i++) {
    view.learnAdvert(advert({ peerId: `12D3KooW${i}`, services: [promised] }))
    view.learnLoad(load({ peerId: `12D3KooW${i}`, interval: 60_000, concurrency: 64 }))
  }
  const dispatcher = createDispatcher({
    view,
    clock: {
      now,
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: timer => isTimer(timer) && clearTimeout(timer)
    },
    random: Math.random,
    invoker: { invoke: answer, route: () => ({ path: 'direct', transport: 'tcp' }) },
    finder: { find: async () => false },
    pinger: { ping: async () => 1 }
  })
  const request = (): DispatchRequest => ({
    service: 'ner',
    method: 'POST',
    path: '/',
    headers,
    body: streamed ? pieces() : body,
    signal: new AbortController().signal,
    timeout: 30_000,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  })
  const client = async (requests: number): Promise<void> => {
    for (let i = 0; i < requests; i++) {
      const { complete } = await dispatcher.dispatch(request())
      if (complete == null) throw new Error('no answer')
    }
  }
  const run = async (): Promise<number> => {
    const began = process.cpuUsage()
    await Promise.all(Array.from({ length: concurrency }, () => client(REQUESTS / concurrency)))
    const { user, system } = process.cpuUsage(began)
    return (user + system) / REQUESTS
  }
  await run()
  const rounds: number[] = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await run())
  dispatcher.stop()
  return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0
}

const settings: Array<[name: string, setting: Setting]> = [
  ['3 workers, concurrency 1, answer whole', { workers: 3, concurrency: 1, answer: arrivedWhole, streamed: false }],
  ['3 workers, concurrency 32, answer whole', { workers: 3, concurrency: 32, answer: arrivedWhole, streamed: false }],
  ['3 workers, concurrency 32, answer streamed', { workers: 3, concurrency: 32, answer: answered, streamed: false }],
  ['3 workers, concurrency 32, both streamed', { workers: 3, concurrency: 32, answer: answered, streamed: true }],
  [
    '100 workers, concurrency 32, answer whole',
    { workers: 100, concurrency: 32, answer: arrivedWhole, streamed: false }
  ],
  [
    '1000 workers, concurrency 32, answer whole',
    { workers: 1000, concurrency: 32, answer: arrivedWhole, streamed: false }
  ]
]
// Only settings whose name contains the argument, if one is given.
for (const [name, setting] of settings.filter(([name]) => name.includes(process.argv[2] ?? '')))
  console.log(`${name}: ${(await measure(setting)).toFixed(2)} µs of CPU time a request`)
