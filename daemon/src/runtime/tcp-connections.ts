import type { Socket } from 'node:net'
import { MeshError, type MeshErrorCode } from '@hedgerow/protocols/errors'
import { reset } from '@hedgerow/protocols/forward/splice'
import { CONNECT_TIMEOUT } from './constants.ts'
import type { TcpTarget } from './index.ts'
import { connectTcp } from './tcp.ts'

/** How a connection can end. */
export type ConnectionEnd = 'answered' | MeshErrorCode

/** A connection to a backend. Its caller joins it with its own, and resets it when it leaves. */
export interface TcpConnection {
  readonly socket: Socket
  /** when the backend has ended its direction: rejects when it has died instead */
  ending(): Promise<void>
  /** when both directions have ended, or it was reset: which, and whose doing it was */
  readonly ended: Promise<ConnectionEnd>
}

export interface TcpConnectionsInit {
  service: string
  /** milliseconds without a byte in either direction until a connection is reset */
  idleTimeout: number
  /**
   * Milliseconds that the end of a backend is in doubt. A process that dies closes its connections as if it had said all, a
   * moment before it is known to be dead. @default 0: what we haven't started is taken at its word
   */
  doubt?: number
}

/** The connections to one backend that speaks TCP. */
export class TcpConnections {
  readonly #init: TcpConnectionsInit
  /** with what ends each of them */
  readonly #open = new Map<Socket, (reason: ConnectionEnd) => void>()
  /** by what those that are in doubt are told that it was no end */
  readonly #doubts = new Set<(error: MeshError) => void>()

  constructor(init: TcpConnectionsInit) {
    this.#init = init
  }

  /**
   * @param signal resets it, for as long as it lasts
   * @throws {MeshError} BackendFailed, ClientGone
   */
  async open(target: TcpTarget, signal: AbortSignal): Promise<TcpConnection> {
    const { service, idleTimeout } = this.#init
    let socket: Socket
    try {
      socket = await connectTcp(target, AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT)]))
    } catch (err) {
      if (signal.aborted) throw new MeshError('ClientGone', 'the caller left', { service })
      const reason = err instanceof Error ? err.message : String(err)
      const message = `${service} took no connection: ${reason}`
      throw new MeshError('BackendFailed', message, { service, retry_safe: true }, { cause: err })
    }
    let reason: ConnectionEnd | undefined
    const end = (why: ConnectionEnd): void => {
      reason ??= why
      reset(socket)
    }
    const onAbort = (): void => end('ClientGone')
    const { promise: ended, resolve } = Promise.withResolvers<ConnectionEnd>()
    this.#open.set(socket, end)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.setTimeout(idleTimeout, () => end('IdleTimeout'))
    let doubt: Promise<void> | undefined
    const ending = (): Promise<void> => {
      doubt ??= this.#doubt()
      return doubt
    }
    socket.once('end', () => {
      ending().catch(() => {
        reason ??= 'BackendFailed'
      })
    })
    socket.once('error', () => {
      reason ??= 'BackendFailed'
    })
    socket.once('close', () => {
      this.#open.delete(socket)
      signal.removeEventListener('abort', onAbort)
      const complete = socket.readableEnded && socket.writableFinished
      const settle = (): void => resolve(reason ?? (complete ? 'answered' : 'ClientGone'))
      // Who else resets it is the caller, or its connection to us.
      if (complete)
        ending()
          .finally(settle)
          .catch(() => {})
      else settle()
    })
    return { socket, ending, ended }
  }

  /** Resets those that are open. */
  end(reason: ConnectionEnd): void {
    if (reason === 'BackendFailed') {
      const error = new MeshError(reason, `${this.#init.service} has died`, { service: this.#init.service })
      for (const refute of [...this.#doubts]) refute(error)
    }
    for (const end of [...this.#open.values()]) end(reason)
  }

  #doubt(): Promise<void> {
    const { doubt = 0 } = this.#init
    if (doubt === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#doubts.delete(refute)
      }
      const refute = (error: MeshError): void => {
        end()
        reject(error)
      }
      const timer = setTimeout(() => {
        end()
        resolve()
      }, doubt)
      this.#doubts.add(refute)
    })
  }
}
