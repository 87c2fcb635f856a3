import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { toMeshError } from '@hedgerow/protocols/errors'
import type { Logger } from 'pino'
import type { Gate } from '../access/index.ts'
import { problemAnswer } from '../ingress/index.ts'

/**
 * Hands WebSocket upgrades of an HTTP server to libp2p's own listener, byte for byte: libp2p takes no server of ours.
 * What asks for another protocol (`h2c`, as curl and Java do), or elsewhere than at `/`, is answered as if it hadn't.
 */
export function carryWebSockets(server: Server, port: number, gate: Pick<Gate, 'admitUpgrade'>, log: Logger): void {
  // Node's own default is to take every upgrade as soon as somebody listens for one. Not yet in Node's types.
  Object.assign(server, { shouldUpgradeCallback: isForLibp2p })
  server.on('upgrade', (request, socket: Duplex, head) => {
    // From here on nobody else hears what happens to the socket, and an error that nobody hears ends the process.
    socket.on('error', err => log.debug({ err }, 'a WebSocket broke off'))
    if (!isForLibp2p(request)) {
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    try {
      gate.admitUpgrade(request)
    } catch (err) {
      refuse(socket, err)
      return
    }
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('close', () => upstream.destroy())
    upstream
      .on('error', err => log.debug({ err }, 'a WebSocket could not be carried'))
      .once('close', () => socket.destroy())
    if (isSocket(socket)) socket.setNoDelay(true)
    upstream.once('connect', () => {
      const lines = [`GET / HTTP/1.1`]
      for (let i = 0; i + 1 < request.rawHeaders.length; i += 2)
        lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`)
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
      if (head.length > 0) upstream.write(head)
      socket.pipe(upstream).pipe(socket)
    })
  })
}

function refuse(socket: Duplex, err: unknown): void {
  const { status, headers, body } = problemAnswer(toMeshError(err))
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n${lines.join('')}\r\n${body}`)
}

function isForLibp2p({ method, url, headers }: IncomingMessage): boolean {
  return method === 'GET' && url?.split('?')[0] === '/' && headers.upgrade?.toLowerCase() === 'websocket'
}

function isSocket(socket: Duplex): socket is Socket {
  return 'setNoDelay' in socket
}
