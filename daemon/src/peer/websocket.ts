import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Logger } from 'pino'
import type { Gate } from '../access/index.ts'
import { type Carrier, isSocket, refuse } from './upgrades.ts'

/** Hands WebSockets at `/` to libp2p's own listener, byte for byte: libp2p takes no server of ours. */
export function webSocketCarrier(port: number, gate: Pick<Gate, 'admitUpgrade'>, log: Logger): Carrier {
  return {
    takes: isForLibp2p,
    carry(request, socket, head) {
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
    }
  }
}

function isForLibp2p({ method, url, headers }: IncomingMessage): boolean {
  return method === 'GET' && url?.split('?')[0] === '/' && headers.upgrade?.toLowerCase() === 'websocket'
}
