/**
 * Lets an answer arrive that is given before the request has: a refusal of an upload, above all. A server that closes a
 * connection with bytes on it that it hasn't read resets it, and the reset takes the answer away from a client that is
 * still sending. So the rest of the request is read and thrown away, within bounds, before the connection is used again
 * or closed ("lingering close").
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const LINGER_PAUSE = 5_000
const LINGER_LONGEST = 60_000

export interface LingeringInit {
  /** milliseconds that a client may pause with the rest of its request. @default 5 s */
  pause?: number
  /** milliseconds that it may take for the rest. @default 60 s */
  longest?: number
}

export interface Lingering {
  /** Cuts off those who are still sending. */
  stop(): void
}

export function lingerAfterAnswers(server: Server, init: LingeringInit = {}): Lingering {
  const bounds = { pause: init.pause ?? LINGER_PAUSE, longest: init.longest ?? LINGER_LONGEST }
  const sending = new Set<Socket>()
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const { headers } = request
    if (headers['content-length'] == null && headers['transfer-encoding'] == null) return
    // Before Node's own listener, which closes connections that aren't kept.
    response.prependOnceListener('finish', () => {
      if (!request.complete && !request.socket.destroyed) linger(request, sending, bounds)
    })
  })
  return {
    stop: () => {
      for (const socket of sending) socket.destroy()
    }
  }
}

function linger(request: IncomingMessage, sending: Set<Socket>, bounds: Required<LingeringInit>): void {
  const { socket } = request
  const { destroySoon } = socket
  let isLast = false
  const cutOff = (): void => {
    socket.destroy()
  }
  const longest = setTimeout(cutOff, bounds.longest)
  const pause = setTimeout(cutOff, bounds.pause)
  const over = (): void => {
    clearTimeout(longest)
    clearTimeout(pause)
    socket.off('close', over)
    sending.delete(socket)
    socket.destroySoon = destroySoon
    if (isLast) socket.destroySoon()
  }
  sending.add(socket)
  socket.destroySoon = () => {
    isLast = true
  }
  socket.once('close', over)
  // Whoever read it has left, perhaps in the middle of waiting for more.
  request.removeAllListeners('readable')
  request
    .on('data', () => pause.refresh())
    .once('end', over)
    .resume()
}
