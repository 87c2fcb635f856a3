import { randomHex } from '@hedgerow/protocols/random'

/**
 * What a backend may do in the mesh on behalf of one request. The backend only ever sees an opaque token: it can't make
 * one, change one, or use one after its request has ended.
 */
export interface CallContext {
  requestId: string
  /** how many calls the request is nested in already */
  depth: number
  /** milliseconds of `performance.now()` at which nobody waits any more */
  deadline?: number
  traceparent?: string
  /** the class of data that the request holds */
  dataClass?: string
  /** for whom it is, as in `key/<id>` or `peer/<peer id>` */
  caller?: string
  /** which classes of data whoever gets the answer may see; left out on a service's own account */
  callerClasses?: readonly string[]
  /** the service whose backend was given it */
  backend: string
  /** set when the service calls on its own account: it may call only its own name */
  service?: string
}

const TOKEN_BYTES = 16

/** The contexts that are good now. As many as there are requests under way, and one per service. */
export class ContextTable {
  readonly #contexts = new Map<string, CallContext>()
  /** service to the token that it calls with on its own account */
  readonly #standing = new Map<string, string>()

  open(context: CallContext): string {
    const token = randomHex(TOKEN_BYTES)
    this.#contexts.set(token, context)
    return token
  }

  /** The token of a service's own account: the same each time its backend is started. */
  openFor(service: string): string {
    const token = this.#standing.get(service) ?? this.open({ requestId: '', depth: 0, backend: service, service })
    this.#standing.set(service, token)
    return token
  }

  get(token: string): CallContext | undefined {
    return this.#contexts.get(token)
  }

  close(token: string): void {
    this.#contexts.delete(token)
  }

  get size(): number {
    return this.#contexts.size
  }
}
