/** One hop as one would write it in plain Node: no encryption, no choice of worker, no retry. */
import { Agent, createServer, request } from 'node:http'

const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const target = new URL(process.env.TARGET ?? '')
const server = createServer({ keepAliveTimeout: 120_000 }, (incoming, outgoing) => {
  const forward = request(
    {
      agent,
      host: target.hostname,
      port: target.port,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers
    },
    answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    }
  )
  forward.on('error', () => outgoing.destroy())
  incoming.pipe(forward)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
