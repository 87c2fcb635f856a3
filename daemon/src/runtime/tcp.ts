import { connect, type Socket } from 'node:net'
import type { TcpTarget } from './index.ts'

/** A connection to a backend that speaks TCP. @throws when there is none, or the signal says so first */
export function connectTcp({ host, port }: TcpTarget, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
  const onAbort = (): void => {
    socket.destroy()
    reject(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  // It stays: an error that comes before the next listener must not end the process.
  socket.on('error', reject)
  socket.once('connect', () => resolve(socket))
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}
