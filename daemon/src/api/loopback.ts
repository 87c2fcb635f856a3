import { MeshError } from '@hedgerow/protocols/errors'
import type { onRequestHookHandler } from 'fastify'

const LOOPBACK_NAME = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

export function isLoopback(url: string): boolean {
  const hostname = URL.parse(url)?.hostname
  return hostname != null && LOOPBACK_NAME.test(hostname)
}

/** Whether a page may call. @param allowed origins; `*` for any */
export function isAllowedOrigin(origin: string, allowed: readonly string[]): boolean {
  return allowed.includes('*') || allowed.includes(origin) || isLoopback(origin)
}

/**
 * Refuses what pages of other sites send to a listener on loopback. Being on this machine is no identity: any page can
 * send requests here, and what they do is done though it can't read the answer (its `Origin` tells); and one whose own
 * name resolves to this machine can read it as well (its `Host` tells).
 */
export function refuseStrangers(allowed: readonly string[]): onRequestHookHandler {
  return (request, _reply, done) => {
    const { host, origin } = request.headers
    if (origin != null && !isAllowedOrigin(origin, allowed))
      done(
        new MeshError(
          'Forbidden',
          `pages of ${origin.slice(0, 100)} may not call this peer; HEDGEROW_CORS_ORIGINS names those that may`
        )
      )
    else if (host != null && !isLoopback(`http://${host}`))
      done(
        new MeshError('Forbidden', `this peer listens on this machine alone and is not called ${host.slice(0, 100)}`)
      )
    else done()
  }
}
