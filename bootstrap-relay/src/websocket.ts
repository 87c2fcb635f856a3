import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'

/**
 * Hands WebSocket upgrades of an HTTP server to libp2p's own listener, byte for byte: libp2p takes no server of ours.
 */
export function carryWebSockets(server: Server, port: number, log: Logger): void {
  server.on('upgrade', (request, socket: Duplex, head) => {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
      return
    }
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true })
    if (isSocket(socket)) socket.setNoDelay(true)
    const end = (err?: Error): void => {
      if (err != null) log.debug({ err }, 'a WebSocket ended')
      socket.destroy()
      upstream.destroy()
    }
    socket.once('error', end).once('close', () => end())
    upstream.once('error', end).once('close', () => end())
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

function isSocket(socket: Duplex): socket is Socket {
  return 'setNoDelay' in socket
}
