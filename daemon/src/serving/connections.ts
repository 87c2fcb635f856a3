/** Connections to services that speak TCP, as this worker serves them: the same rights, classes and account as for requests. */
import { stricter } from '@hedgerow/protocols/data-class'
import { MeshError, toMeshError } from '@hedgerow/protocols/errors'
import type { ForwardRequest } from '@hedgerow/protocols/forward'
import type { ConnectionEnd, TcpConnection } from '../runtime/index.ts'
import type { Served, ServedHead } from './account.ts'
import { callerOf, checkClasses, type ServingComponents, serviceFor, tooOften } from './checks.ts'

export interface ConnectionServing {
  /**
   * Opens a connection to a service that runs here.
   *
   * @param signal resets it, for as long as it lasts
   * @throws {MeshError} what the peer is refused with
   */
  connect(peer: string, request: ForwardRequest, signal: AbortSignal): Promise<TcpConnection>
}

/** What a connection has in the place of an operation and a method. */
const CONNECT = 'CONNECT'
const OPENED = 200

export function serveConnections(components: ServingComponents): ConnectionServing {
  return {
    async connect(peer, request, signal) {
      if (components.mayAsk?.(peer) === false) throw tooOften(peer)
      const startedAt = Date.now()
      const begun = performance.now()
      const head: ServedHead = {
        requestId: request.requestId,
        peer,
        caller: `peer/${peer}`,
        service: request.service,
        operation: CONNECT,
        method: CONNECT,
        dataClass: request.dataClass,
        depth: 0
      }
      const tell = (status: number, outcome: ConnectionEnd, sent = 0, received = 0): void => {
        const complete = outcome === 'answered'
        const served: Served = {
          ...head,
          request: { bytes: sent, complete, sha256: '' },
          answer: { bytes: received, complete, sha256: '' },
          status,
          outcome,
          startedAt,
          duration: performance.now() - begun
        }
        components.onConnection?.(served)
      }
      try {
        const connection = await open(components, head, request, signal)
        const { socket } = connection
        void connection.ended.then(end => tell(OPENED, end, socket.bytesWritten, socket.bytesRead))
        return connection
      } catch (err) {
        const error = toMeshError(err)
        if (error.code === 'Internal') components.onError?.(err)
        tell(error.status, error.code)
        throw error
      }
    }
  }
}

async function open(
  components: ServingComponents,
  head: ServedHead,
  { service: name, dataClass, caller, requestId }: ForwardRequest,
  signal: AbortSignal
): Promise<TcpConnection> {
  const service = serviceFor(components, head.peer, name)
  head.caller = callerOf(head.peer, caller, components)
  head.dataClass = stricter(service.contract.dataClass, dataClass)
  checkClasses(components.rights()?.classes ?? [], [dataClass, service.contract.dataClass], name)
  // An HTTP service is told what its caller may see and answers accordingly; this one hasn't anybody to tell.
  const allowed = components.callerClasses(head.peer)
  checkClasses(allowed, [service.contract.dataClass], name, `the peer ${head.peer}`)
  if (service.contract.protocol !== 'tcp') throw new MeshError('NotTcp', `${name} speaks HTTP`, { service: name })
  return service.connect({ signal, requestId })
}
