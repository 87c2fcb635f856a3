import type { FastifyRequest } from 'fastify'
import { type Dispatcher, request as httpRequest } from 'undici'
import { ServiceError } from './errors.ts'

/**
 * Calls from a service into the mesh. The daemon that starts a service sets:
 *
 * - `HEDGEROW_MESH_URL`: where to send them, `${HEDGEROW_MESH_URL}/service/{name}/{path}`
 * - with each request the header `Hedgerow-Context`: a nested call that carries it inherits the request's caller, data
 *   class, remaining deadline and trace. Without it the call is refused.
 * - `HEDGEROW_SERVICE_CONTEXT`: the context for what a service does on its own account; good for calls to the
 *   service's own name only (its other instances).
 */
export interface MeshCall {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** service and path, as in `vision-ocr/recognize` */
  path: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** the one worker (peer id) that may answer; any when left out */
  worker?: string
  signal?: AbortSignal
}

/** Whether this process was started by a daemon, and so can call other services. */
export function meshAvailable(): boolean {
  return process.env.HEDGEROW_MESH_URL != null
}

/**
 * Calls another service on behalf of `request`.
 *
 * @throws {ServiceError} 503 `NoMesh` when the service runs on its own, or the request came past the daemon
 */
export async function callMesh(request: FastifyRequest, call: MeshCall): Promise<Dispatcher.ResponseData> {
  const context = request.headers['hedgerow-context']
  if (typeof context !== 'string') {
    throw new ServiceError(
      503,
      'NoMesh',
      'this request came without a mesh context, so no other service can be asked; send it through a daemon or a relay'
    )
  }
  return send(context, call)
}

/** Calls another instance of this same service, on the service's own account. */
export async function callOwnService(call: MeshCall): Promise<Dispatcher.ResponseData> {
  const context = process.env.HEDGEROW_SERVICE_CONTEXT
  if (context == null)
    throw new ServiceError(
      503,
      'NoMesh',
      'this service was not started by a daemon, so it has no other instances to ask'
    )
  return send(context, call)
}

async function send(context: string, call: MeshCall): Promise<Dispatcher.ResponseData> {
  const base = process.env.HEDGEROW_MESH_URL
  if (base == null)
    throw new ServiceError(503, 'NoMesh', 'HEDGEROW_MESH_URL is not set: this service was not started by a daemon')
  return httpRequest(`${base}/service/${call.path}`, {
    method: call.method,
    headers: {
      ...call.headers,
      'hedgerow-context': context,
      ...(call.worker == null ? {} : { 'hedgerow-worker': call.worker })
    },
    body: call.body,
    signal: call.signal
  })
}
