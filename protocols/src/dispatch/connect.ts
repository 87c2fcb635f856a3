/**
 * A connection to a service that speaks TCP, as the rest of dispatch sees it: a request without a body, whose answer has
 * none either and lasts as long as the connection. So workers are chosen, judged and watched as for HTTP.
 */
import type { Operation } from '../contract/index.ts'
import { MeshError } from '../errors/index.ts'
import type { ForwardRequest } from '../forward/index.ts'
import type { Invoker } from '../invocation/index.ts'
import { CONNECTION_TIMEOUT } from './constants.ts'
import type { OpenConnection, RawConnection } from './index.ts'
import type { Plan, PlanInput } from './plan.ts'
import { continueTrace } from './trace.ts'

const CONNECTION: Operation = {
  method: 'CONNECT',
  path: '/',
  main: true,
  // Nothing has passed before it is open.
  idempotent: true,
  internal: false,
  firstByteTimeout: CONNECTION_TIMEOUT,
  // What passes, and when, is the business of its two ends.
  chunkTimeout: Infinity,
  bodyLimit: 0
}

/** What a connection is called where requests have an operation. */
export const CONNECT = CONNECTION.method

/** One connection that is to be opened: at one worker after the other, until one takes it. */
export class Opening<C extends RawConnection> {
  readonly #open: OpenConnection<C>
  /** by peer id */
  readonly #opened = new Map<string, C>()

  constructor(open: OpenConnection<C>) {
    this.#open = open
  }

  /** @throws {MeshError} NotTcp */
  readonly plan = ({ request, requestId, service, contract, now }: PlanInput): Plan => {
    const { name } = service
    if (contract.protocol !== 'tcp') {
      const detail = `${name} speaks HTTP; call it at /service/${name}, or with \`hedgerow call ${name}\``
      throw new MeshError('NotTcp', detail, { service: name, request_id: requestId })
    }
    const { worker, resource, dataClass, caller, timeout = Infinity } = request
    const { traceparent } = continueTrace(request.traceparent)
    const asked: ForwardRequest = { service: name, requestId, traceparent }
    if (dataClass != null) asked.dataClass = dataClass
    if (caller != null) asked.caller = caller
    return {
      request,
      requestId,
      service,
      operation: CONNECTION,
      repeatable: true,
      withhold: false,
      invoke: this.#invoke(asked),
      operationName: CONNECT,
      window: service.window(CONNECT),
      needs: { method: CONNECT, path: '/', contract, worker, resource, dataClass, repeatable: true },
      path: '/',
      headers: {},
      traceparent,
      deadline: now + timeout
    }
  }

  /** The connection that a worker has opened. */
  take(worker: string): C {
    const connection = this.#opened.get(worker)
    if (connection == null) throw new MeshError('Internal', `${worker} has opened no connection`)
    return connection
  }

  #invoke(asked: ForwardRequest): Invoker['invoke'] {
    return async (peerId, _request, options) => {
      const connection = await this.#open(peerId, asked, options)
      this.#opened.set(peerId, connection)
      const { route, closed } = connection
      // Of one that was opened in vain nobody hears the end.
      closed.catch(() => {})
      return { status: 200, headers: {}, body: lasting(closed), ...(route == null ? {} : { route }) }
    }
  }
}

// biome-ignore lint/correctness/useYield: it has no content, and ends
async function* lasting(closed: Promise<void>): AsyncGenerator<Uint8Array> {
  await closed
}

/** Somebody must be reading, or nobody would hear that a connection has ended. */
export async function readOn(body: AsyncIterable<Uint8Array>): Promise<void> {
  const reader = body[Symbol.asyncIterator]()
  // How it ended is for its two ends to say; dispatch has taken its note.
  await reader.next().catch(() => {})
}
