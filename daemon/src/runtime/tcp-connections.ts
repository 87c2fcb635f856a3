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
  /** when both directions have ended, or it was reset: which, and whose doing it was */
  readonly ended: Promise<ConnectionEnd>
}

export interface TcpConnectionsInit {
  service: string
  /** milliseconds without a byte in either direction until a connection is reset */
  idleTimeout: number
}

/** The connections to one backend that speaks TCP. */
export class TcpConnections {
  readonly #init: TcpConnectionsInit
  /** with what ends each of them */
  readonly #open = new Map<Socket, (reason: ConnectionEnd) => void>()

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
    socket.once('error', () => {
      reason ??= 'BackendFailed'
    })
    socket.once('close', () => {
      this.#open.delete(socket)
      signal.removeEventListener('abort', onAbort)
      const complete = socket.readableEnded && socket.writableFinished
      // Who else resets it is the caller, or its connection to us.
      resolve(reason ?? (complete ? 'answered' : 'ClientGone'))
    })
    return { socket, ended }
  }

  /** Resets those that are open. */
  end(reason: ConnectionEnd): void {
    for (const end of [...this.#open.values()]) end(reason)
  }
}
