import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { toMeshError } from '@hedgerow/protocols/errors'
import type { Logger } from 'pino'
import { problemAnswer } from '../ingress/index.ts'

/** Milliseconds for a refusal to get to a caller that doesn't end the connection itself. */
const REFUSAL_LINGER = 2000

/** Takes over connections that are to be something else than HTTP. */
export interface Carrier {
  takes(request: IncomingMessage): boolean
  /** @param head what has come after the request */
  carry(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/**
 * Hands upgrades of an HTTP server to whoever takes them. What asks for another protocol (`h2c`, as curl and Java do),
 * elsewhere, with a body, or behind a request that has no answer yet, is answered as if it hadn't: of a body others may
 * think that it ends elsewhere, and the answer would get between the bytes of the new protocol.
 */
export function takeUpgrades(server: Server, carriers: Carrier[], log: Logger): void {
  const carrierOf = (request: IncomingMessage): Carrier | undefined => carriers.find(one => one.takes(request))
  /** requests on a connection that have no whole answer yet */
  const unanswered = new WeakMap<Duplex, number>()
  server.prependListener('request', ({ socket }, response) => {
    unanswered.set(socket, (unanswered.get(socket) ?? 0) + 1)
    response.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1))
  })
  const mayUpgrade = ({ socket, headers }: IncomingMessage): boolean =>
    (unanswered.get(socket) ?? 0) === 0 &&
    headers['transfer-encoding'] === undefined &&
    Number(headers['content-length'] ?? 0) === 0
  // Node's own default is to take every upgrade as soon as somebody listens for one. Not yet in Node's types.
  Object.assign(server, {
    shouldUpgradeCallback: (request: IncomingMessage) => mayUpgrade(request) && carrierOf(request) != null
  })
  server.on('upgrade', (request, socket: Duplex, head) => {
    // From here on nobody else hears what happens to the socket, and an error that nobody hears ends the process.
    socket.on('error', err => log.debug({ err }, 'an upgraded connection broke off'))
    const carrier = carrierOf(request)
    if (carrier == null) endWith(socket, 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    else carrier.carry(request, socket, head)
  })
}

/** Says in the place of an upgrade why there is none. @param extra further headers @returns bytes of the answer's body */
export function refuse(socket: Duplex, err: unknown, extra: Record<string, string> = {}): number {
  const error = toMeshError(err)
  const { status, headers, body } = problemAnswer(error)
  const lines = Object.entries({ ...headers, ...extra, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`
  )
  endWith(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
  return body.byteLength
}

/** The last words on a connection. Who doesn't end it as well, or sends on without listening, keeps nothing open. */
function endWith(socket: Duplex, answer: string): void {
  socket.end(answer)
  // What it has sent is read: bytes that nobody took would reset the connection before the answer is there.
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), REFUSAL_LINGER)
  socket.once('close', () => clearTimeout(timer))
}

export function isSocket(socket: Duplex): socket is Socket {
  return 'setNoDelay' in socket
}
