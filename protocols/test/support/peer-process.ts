/**
 * A peer in a process of its own, for tests that kill it or look at its memory. Says its address on stdout, and then
 * serves: /hang never answers, /half breaks off its answer by not going on, /source?bytes=n sends n bytes, /sink
 * counts what it gets, /peak says the most memory that was in use and starts anew.
 */
import type { RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createStreamServer, serveHttp } from '../../src/invocation/node/index.ts'
import { watchMemory } from './memory.ts'
import { createNode } from './nodes.ts'

const memory = watchMemory()

const listener: RequestListener = async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://peer')
  if (pathname === '/half') {
    response.writeHead(200, { 'content-length': 100_000 })
    response.write(Buffer.alloc(50_000))
  } else if (pathname === '/source') {
    await pipeline(Readable.from(zeros(Number(searchParams.get('bytes')))), response).catch(() => {})
  } else if (pathname === '/sink') {
    let received = 0
    for await (const chunk of request) received += chunk.length
    response.end(String(received))
  } else if (pathname === '/peak') {
    response.end(String(memory.take()))
  }
}

function* zeros(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536))
}

const node = await createNode('tcp', true)
await serveHttp(node, createStreamServer(listener))
console.log(String(node.getMultiaddrs()[0]))
// ends with whoever started it
process.stdin.on('close', () => process.exit()).resume()
