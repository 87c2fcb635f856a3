import type { IncomingMessage } from 'node:http'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { DISPATCH_HEADERS, optionsIn, type ServiceTarget } from '@hedgerow/protocols/ingress'
import type { Headers } from '@hedgerow/protocols/invocation'
import { bodyOf } from './body.ts'

/** What the route says of a request; the rest is read off the request itself. */
export interface Target extends ServiceTarget {
  resource?: string
  /** a body that was read already */
  body?: Uint8Array
}

/** Turns an HTTP request into one for dispatch. @throws {MeshError} Malformed */
export async function toDispatchRequest(
  message: IncomingMessage,
  id: string,
  target: Target,
  signal: AbortSignal
): Promise<DispatchRequest> {
  const { headers } = message
  const request: DispatchRequest = {
    id,
    service: target.service,
    method: message.method ?? 'GET',
    path: target.path,
    headers: passedOn(message),
    body: target.body ?? (await bodyOf(message)),
    signal,
    ...optionsIn(name => one(headers[name]))
  }
  if (target.resource != null) request.resource = target.resource
  return request
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** The client's headers without those that dispatch speaks itself. */
function passedOn({ headers }: IncomingMessage): Headers {
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value != null && !DISPATCH_HEADERS.has(name)) kept[name] = value
  }
  return kept
}
