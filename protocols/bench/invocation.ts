/**
 * What an HTTP exchange between two peers costs, beside what one would use without peers. All ways are measured in
 * turn, in many short rounds of one run, because machines are shared and noisy: read the ratios.
 *
 *     node --conditions=hedgerow-source protocols/bench/invocation.ts [--rounds 15] [--requests 1500] [--size 1024]
 *
 * - direct: load → backend, HTTP with keep-alive
 * - proxies: load → proxy → proxy → backend, HTTP with keep-alive, unencrypted
 * - peers: load → peer → backend in the same process; `untuned`: the same with noise() and yamux() as they come
 * - mesh: load → proxy → peer → peer → backend, each arrow between processes but the one between proxy and peer
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { parseArgs } from 'node:util'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { Pool } from 'undici'
import type { Invoker } from '../src/invocation/index.ts'
import { createInvoker, createStreamServer, encryption, multiplexing, serveHttp } from '../src/invocation/node/index.ts'

const KEEP_ALIVE = { keepAliveTimeout: 60_000 }

/** All of a body; `buffer()` of node:stream/consumers would take longer than the exchange, by way of a Blob. */
function whole(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}

const echo: RequestListener = async (request, response) => {
  const body = await whole(request)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

function createNode(tuned: boolean, listen: string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [tuned ? encryption() : noise()],
    streamMuxers: [tuned ? multiplexing() : yamux()],
    connectionMonitor: { enabled: false }
  })
}

async function createPeer(tuned: boolean, listener: RequestListener): Promise<string> {
  const node = await createNode(tuned, ['/ip4/127.0.0.1/tcp/0'])
  await serveHttp(node, createStreamServer(listener))
  return String(node.getMultiaddrs()[0])
}

async function invokerTo(address: string, tuned = true): Promise<{ invoker: Invoker; peer: string }> {
  const node = await createNode(tuned, [])
  const connection = await node.dial(multiaddr(address))
  return { invoker: createInvoker(node), peer: connection.remotePeer.toString() }
}

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(KEEP_ALIVE, listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address == null || typeof address === 'string') throw new Error('not listening')
  return `http://127.0.0.1:${address.port}`
}

/** The proxy that everyone writes. */
function plainProxy(target: string): RequestListener {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  return (request, response) => {
    const { method, headers, url } = request
    const forwarded = httpRequest(`${target}${url}`, { method, headers, agent }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    request.pipe(forwarded)
  }
}

function meshProxy(invoker: Invoker, peer: string): RequestListener {
  return async (request, response) => {
    const { method = 'GET', url: path = '/' } = request
    const headers = { 'content-type': request.headers['content-type'] ?? '' }
    const body = await whole(request)
    const answer = await invoker.invoke(peer, { method, path, headers, body }, { signal: new AbortController().signal })
    response.writeHead(answer.status, answer.headers)
    if (answer.complete != null) return response.end(answer.complete)
    for await (const chunk of answer.body) response.write(chunk)
    response.end()
  }
}

/** What the processes are; each says where it can be reached, and then answers questions for its CPU time. */
const ROLES: Record<string, (target: string) => Promise<string>> = {
  backend: () => listening(echo),
  proxy: target => listening(plainProxy(target)),
  peer: () => createPeer(true, echo),
  untunedPeer: () => createPeer(false, echo),
  worker: target => createPeer(true, plainProxy(target)),
  ingress: async target => {
    const { invoker, peer } = await invokerTo(target)
    return listening(meshProxy(invoker, peer))
  }
}

const children: ChildProcess[] = []

async function start(role: string, target = ''): Promise<string> {
  const child = fork(import.meta.filename, ['--role', role, '--target', target])
  children.push(child)
  const [address] = await once(child, 'message')
  return String(address)
}

/** Microseconds of CPU that all processes have used. */
async function cpuTime(): Promise<number> {
  const { user, system } = process.cpuUsage()
  let total = user + system
  for (const child of children) {
    child.send('cpu')
    const [used] = await once(child, 'message')
    total += Number(used)
  }
  return total
}

type Ask = () => Promise<unknown>
interface Round {
  p50: number
  p99: number
  rate: number
  cpu: number
}

async function measure(ask: Ask, concurrency: number, requests: number): Promise<Round> {
  const times: number[] = []
  let left = requests
  const cpuBefore = await cpuTime()
  const start = performance.now()
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const before = performance.now()
      await ask()
      times.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const elapsed = performance.now() - start
  const cpu = ((await cpuTime()) - cpuBefore) / requests
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), rate: (requests / elapsed) * 1000, cpu }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

async function main(rounds: number, requests: number, size: number): Promise<void> {
  const body = Buffer.alloc(size, 'x')
  const headers = { 'content-type': 'application/json' }
  const overHttp = (url: string): Ask => {
    const pool = new Pool(url, { connections: 64 })
    return async () => (await pool.request({ method: 'POST', path: '/', headers, body })).body.arrayBuffer()
  }
  const overStreams = async (address: string, tuned: boolean): Promise<Ask> => {
    const { invoker, peer } = await invokerTo(address, tuned)
    const { signal } = new AbortController()
    return async () => {
      const answer = await invoker.invoke(peer, { method: 'POST', path: '/', headers, body }, { signal })
      if (answer.complete == null) for await (const _chunk of answer.body);
    }
  }
  const backend = await start('backend')
  const ways: Record<string, Ask> = {
    direct: overHttp(backend),
    proxies: overHttp(await start('proxy', await start('proxy', backend))),
    peers: await overStreams(await start('peer'), true),
    untuned: await overStreams(await start('untunedPeer'), false),
    mesh: overHttp(await start('ingress', await start('worker', backend)))
  }
  for (const concurrency of [1, 32]) {
    const results = new Map<string, Round[]>(Object.keys(ways).map(way => [way, []]))
    const total = concurrency === 1 ? Math.ceil(requests / 6) : requests
    for (let round = -2; round < rounds; round++) {
      for (const [way, ask] of Object.entries(ways)) {
        const result = await measure(ask, concurrency, total)
        // the first two rounds are for the compiler
        if (round >= 0) results.get(way)?.push(result)
      }
    }
    console.log(
      `\nconcurrency ${concurrency}, ${size} bytes each way, medians of ${rounds} rounds of ${total} requests`
    )
    console.table(
      Object.fromEntries(
        Array.from(results, ([way, measured]) => {
          const of = (key: keyof Round): number => median(measured.map(round => round[key]))
          const row = {
            'p50 ms': of('p50').toFixed(3),
            'p99 ms': of('p99').toFixed(2),
            'per second': Math.round(of('rate')),
            'CPU µs': Math.round(of('cpu'))
          }
          return [
            way,
            {
              ...row,
              'rate / direct': ratio(measured, results.get('direct')),
              'rate / proxies': ratio(measured, results.get('proxies'))
            }
          ]
        })
      )
    )
  }
}

/** The median of the ratios of neighbouring rounds, which had the same share of the machine. */
function ratio(measured: Round[], base: Round[] = []): string {
  return median(measured.map(({ rate }, i) => rate / (base[i]?.rate ?? Number.NaN))).toFixed(2)
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    requests: { type: 'string', default: '1500' },
    size: { type: 'string', default: '1024' },
    role: { type: 'string' },
    target: { type: 'string', default: '' }
  }
})

const role = values.role == null ? undefined : ROLES[values.role]
if (role != null) {
  process.on('disconnect', () => process.exit())
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.send?.(await role(values.target))
} else {
  await main(Number(values.rounds), Number(values.requests), Number(values.size))
  for (const child of children) child.disconnect()
  process.exit()
}
