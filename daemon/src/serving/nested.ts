import type { IncomingMessage } from 'node:http'
import { stricter } from '@hedgerow/protocols/data-class'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { MeshError } from '@hedgerow/protocols/errors'
import { HEADERS, MAX_DEPTH } from '@hedgerow/protocols/ids'
import { inSameTrace } from '@hedgerow/protocols/tracing'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyPluginAsync, onRequestAsyncHookHandler } from 'fastify'
import { type IngressComponents, serviceRoutes, traceparentOf } from '../ingress/index.ts'
import type { CallContext, ContextTable } from './contexts.ts'

export interface NestedComponents extends IngressComponents {
  contexts: ContextTable
  view: View
  self: string
}

/** @throws {MeshError} Forbidden, when the request comes from no backend that serves one now */
function contextOf(contexts: Pick<ContextTable, 'get'>, { headers }: Pick<IncomingMessage, 'headers'>): CallContext {
  const token = headers[HEADERS.context]
  const context = typeof token === 'string' ? contexts.get(token) : undefined
  if (context == null) {
    throw new MeshError(
      'Forbidden',
      `a call from a backend must carry the ${HEADERS.context} header of the request it serves, while that request lasts`
    )
  }
  return context
}

/** Any process of this machine reaches the port that is meant for backends: without a context it learns nothing there. */
export function backendsOnly(contexts: Pick<ContextTable, 'get'>): onRequestAsyncHookHandler {
  return async request => {
    contextOf(contexts, request)
  }
}

/**
 * The mesh as a backend on this machine reaches it, at `HEDGEROW_MESH_URL`. Every call must carry the context of the
 * request it serves; it inherits that request's caller, class of data, remaining time, trace and depth.
 */
export function nestedRoutes({ contexts, view, self, ...ingress }: NestedComponents): FastifyPluginAsync {
  const amend = (call: DispatchRequest, message: IncomingMessage): DispatchRequest => {
    const { depth, deadline, traceparent, caller, callerClasses, service, dataClass } = contextOf(contexts, message)
    if (depth + 1 > MAX_DEPTH)
      throw new MeshError('TooDeep', `calls may be nested ${MAX_DEPTH} deep; this one would be ${depth + 1}`)
    const amended: DispatchRequest = { ...call, depth: depth + 1 }
    const itsClass = stricter(dataClass, call.dataClass)
    if (itsClass != null) amended.dataClass = itsClass
    if (caller != null) amended.caller = caller
    if (callerClasses != null) amended.callerClasses = callerClasses
    if (service != null) {
      if (view.resolve(call.service) !== service)
        throw new MeshError('Forbidden', `on its own account ${service} may call only its own instances`)
      amended.caller = `service/${service}`
    }
    if (deadline != null) {
      const left = deadline - performance.now()
      if (left <= 0) throw new MeshError('Deadline', 'the request that this call belongs to has run out of time')
      amended.timeout = Math.min(call.timeout ?? left, left)
    }
    if (traceparent != null) amended.traceparent = inSameTrace(traceparent, call.traceparent)
    return amended
  }

  return async app => {
    const callerOf = ({ headers }: IncomingMessage): string => {
      const token = headers[HEADERS.context]
      // Gone when the request that it belonged to has ended before this one.
      const backend = typeof token === 'string' ? contexts.get(token)?.backend : undefined
      return backend == null ? 'backend' : `service/${backend}`
    }
    const parentOf = (message: IncomingMessage): string | undefined => {
      const token = message.headers[HEADERS.context]
      const given = typeof token === 'string' ? contexts.get(token)?.traceparent : undefined
      return given == null ? undefined : inSameTrace(given, traceparentOf(message))
    }
    const nameOf = (service: string): string | undefined => view.resolve(service)
    await app.register(serviceRoutes({ ...ingress, callerOf, parentOf, nameOf }, amend))
    app.get<{ Params: { service: string } }>('/instances/:service', async request => {
      const name = view.resolve(request.params.service) ?? request.params.service
      return {
        self,
        instances: view
          .candidates(name)
          .filter(({ silent }) => !silent)
          .map(({ peerId, offer }) => ({ peer_id: peerId, resources: offer.resources }))
      }
    })
  }
}
