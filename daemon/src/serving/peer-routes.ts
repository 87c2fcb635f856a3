import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HEADERS, HTTP_PROTOCOL } from '@hedgerow/protocols/ids'
import { remotePeerOf } from '@hedgerow/protocols/invocation/node'
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { bodyOf, pathOf, type ServiceListener } from '../ingress/index.ts'
import type { Serving } from './index.ts'

/**
 * `/service` as other peers call it over libp2p, and what is served over HTTP here (libp2p HTTP specification):
 * `/.well-known/libp2p/protocols`.
 */
export function peerRoutes(serving: Serving): FastifyPluginAsync {
  return async app => {
    app.get('/.well-known/libp2p/protocols', { config: { everybody: true } }, async () => ({
      [HTTP_PROTOCOL]: { path: '/' },
      '/hedgerow/service/1': { path: '/service/' }
    }))
    app.register(async services => {
      services.removeAllContentTypeParsers()
      services.addContentTypeParser('*', (_request, _payload, done) => done(null))
      const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
        reply.hijack()
        return answer(serving, request.raw, reply.raw, app.log)
      }
      services.all('/service/:service', { schema: { hide: true } }, handler)
      services.all('/service/:service/*', { schema: { hide: true } }, handler)
    })
  }
}

/** The same as `/service` of {@link peerRoutes}, for requests that don't come by way of Fastify. */
export function peerListener(serving: Serving, log: Log): ServiceListener {
  return (message, response) => {
    void answer(serving, message, response, log)
  }
}

type Log = Pick<FastifyBaseLogger, 'debug'>

async function answer(serving: Serving, raw: IncomingMessage, response: ServerResponse, log: Log): Promise<void> {
  const gone = new AbortController()
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort()
  }
  response.once('close', onClose)
  try {
    const { status, headers, body, complete } = await serving.invoke(
      remotePeerOf(raw) ?? 'unknown',
      { method: raw.method ?? 'GET', path: pathOf(raw.url), headers: raw.headers, body: await bodyOf(raw) },
      { signal: gone.signal }
    )
    const out: OutgoingHttpHeaders = headers
    response.writeHead(status, out)
    if (complete != null) response.end(complete)
    else {
      response.flushHeaders()
      await pipeline(Readable.from(body, { objectMode: false }), response)
    }
  } catch (err) {
    // The answer broke off: a reset tells the other side, a clean end would not.
    if (!gone.signal.aborted) log.debug({ err, request: raw.headers[HEADERS.requestId] }, 'an answer broke off')
    gone.abort()
    response.destroy()
  } finally {
    response.removeListener('close', onClose)
  }
}
