import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { MeshError } from '@hedgerow/protocols/errors'
import { pathOf } from '../ingress/index.ts'

/** What is waited for. The rest of the API answers at once, or (`/events`) never ends. */
const SERVICES = /^\/(?:service|v1)\//
/** Seconds after which a caller that knows only this peer may try whether it is back. */
const RETRY_AFTER = 5

/**
 * The requests to services that a peer has in hand, by whatever way they entered: from the head of the request to the
 * last byte of its answer.
 */
export class RequestsInHand {
  readonly #open = new Set<ServerResponse | Duplex>()
  #drained: PromiseWithResolvers<void> | undefined

  get size(): number {
    return this.#open.size
  }

  /** Counts what comes to a server; when the peer drains, too. */
  count(server: Server): void {
    server.prependListener('request', (request, response) => {
      if (SERVICES.test(pathOf(request.url))) this.#add(response)
    })
  }

  /** Counts what comes to a server until the peer drains; from then on, connections end with their answer. */
  countUntilDrained(server: Server): void {
    server.prependListener('request', (request, response) => {
      if (this.#drained != null) response.shouldKeepAlive = false
      else if (SERVICES.test(pathOf(request.url))) this.#add(response)
    })
  }

  /** @throws {MeshError} Draining, when the request came too late */
  admit(response: ServerResponse): void {
    if (this.#drained != null && !this.#open.has(response)) throw tooLate()
  }

  /** Counts a connection that is no HTTP any more, to its end. @throws {MeshError} Draining, when it came too late */
  hold(socket: Duplex): void {
    if (this.#drained != null) throw tooLate()
    this.#add(socket)
  }

  /** Resolves when nothing is in hand. */
  drain(): Promise<void> {
    this.#drained ??= Promise.withResolvers()
    for (const one of this.#open) if ('shouldKeepAlive' in one) one.shouldKeepAlive = false
    this.#settle()
    return this.#drained.promise
  }

  #add(response: ServerResponse | Duplex): void {
    this.#open.add(response)
    response.once('close', () => {
      this.#open.delete(response)
      this.#settle()
    })
  }

  #settle(): void {
    if (this.#open.size === 0) this.#drained?.resolve()
  }
}

function tooLate(): MeshError {
  return new MeshError('Draining', 'this peer is stopping; ask another one', {
    retry_safe: true,
    retry_after: RETRY_AFTER
  })
}
