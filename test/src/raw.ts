/** HTTP as bytes, for what no client would send. */
import { connect } from 'node:net'

export interface RawInit {
  /** resets the connection soon after sending. @default false */
  reset?: boolean
  /** milliseconds of silence after which it is enough. @default 1000 */
  wait?: number
  /** one of this machine's addresses to come from */
  localAddress?: string
}

/** Sends bytes as they are and gives back what came, when the other side closes or is silent. */
export function send(url: string, bytes: string | Buffer, init: RawInit = {}): Promise<string> {
  const { reset = false, wait = 1000, localAddress } = init
  const { promise, resolve } = Promise.withResolvers<string>()
  let received = ''
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress }, () => {
    socket.write(bytes)
    if (reset) setTimeout(() => socket.resetAndDestroy(), 20)
  })
  socket
    .setTimeout(wait, () => socket.destroy())
    .on('data', data => {
      received += data.toString('latin1')
    })
    .on('error', () => {})
    .on('close', () => resolve(received))
  return promise
}

/** A head of these lines. */
export const lines = (...heads: string[]): string => `${heads.join('\r\n')}\r\n\r\n`
