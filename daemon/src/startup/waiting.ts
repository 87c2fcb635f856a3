import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Role } from '@hedgerow/protocols/advert'
import { MeshError } from '@hedgerow/protocols/errors'
import { isLocalHost } from '../access/index.ts'
import { problemAnswer } from '../ingress/index.ts'

export interface WaitingInit {
  host: string
  /** 0 = nobody knows where to ask, so nothing listens */
  port: number
  peerId: string
  /** what its owner calls it */
  workerId: string
  role: Role
  version: string
}

/** Seconds after which asking again makes sense. */
const RETRY_AFTER = 5

/**
 * Answers on the HTTP port while the peer can't be made yet, because none of its relays says which mesh it joins: 503
 * with `starting` on `/health`, and an error that says why elsewhere.
 *
 * @returns frees the port
 */
export async function answerWhileWaiting({ host, port, ...who }: WaitingInit): Promise<() => Promise<void>> {
  if (port === 0) return async () => {}
  const startedAt = performance.now()
  const reason = 'none of the relays of HEDGEROW_RELAY or HEDGEROW_INVITE has let this peer in yet; it keeps asking'
  const long = (): object => ({
    services: [],
    dht_enabled: true,
    uptime: Math.round((performance.now() - startedAt) / 1000),
    version: who.version
  })
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/health') {
      const { status, headers, body } = problemAnswer(new MeshError('Starting', reason, { retry_after: RETRY_AFTER }))
      response.writeHead(status, headers).end(body)
      return
    }
    const health = {
      status: 'starting',
      reason,
      peer_id: who.peerId,
      worker_id: who.workerId,
      role: who.role,
      mesh: null,
      // Nobody from elsewhere has said who they are.
      ...(isLocalHost(host) ? long() : {})
    }
    response
      .writeHead(503, { 'content-type': 'application/json', 'retry-after': String(RETRY_AFTER) })
      .end(JSON.stringify(health))
  })
  server.listen({ port, host })
  await once(server, 'listening')
  return async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
}
