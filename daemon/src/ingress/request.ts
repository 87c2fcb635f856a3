import type { IncomingMessage } from 'node:http'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { optionsIn, type ServiceTarget } from '@hedgerow/protocols/ingress'
import { bodyOf } from './body.ts'

/** What the route says of a request; the rest is read off the request itself. */
export interface Target extends ServiceTarget {
  resource?: string
  /** a body that was read already */
  body?: Uint8Array
  /** when the request came, in milliseconds of `performance.now()`. @default now */
  startedAt?: number
}

/**
 * Turns an HTTP request into one for dispatch.
 *
 * @param startedAt when it came, in milliseconds of `performance.now()`: the caller's time runs from there
 * @throws {MeshError} Malformed, and as {@link bodyOf}
 */
export async function toDispatchRequest(
  message: IncomingMessage,
  id: string,
  target: Target,
  signal: AbortSignal,
  startedAt: number
): Promise<DispatchRequest> {
  const { headers } = message
  const options = optionsIn(name => one(headers[name]))
  const deadline = startedAt + (options.timeout ?? Infinity)
  const request: DispatchRequest = {
    id,
    service: target.service,
    method: message.method ?? 'GET',
    path: target.path,
    headers,
    body: target.body ?? (await bodyOf(message, { deadline })),
    signal,
    ...options
  }
  if (options.timeout != null) request.timeout = deadline - performance.now()
  if (target.resource != null) request.resource = target.resource
  return request
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
