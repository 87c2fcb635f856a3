/** Attackers' ends: bytes as they are, over a socket or over a libp2p stream, with no HTTP library in between. */
import { connect, type Socket } from 'node:net'
import { HTTP_PROTOCOL } from '@hedgerow/protocols/ids'
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'

/** Milliseconds without a byte after which an answer counts as all there is. */
const SILENCE = 700

/** Lines of a request's head, ended as HTTP ends them. */
export const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`

/** @returns all that came back until the other side closed, or was silent */
export function sendToPort(
  url: string,
  bytes: string | Buffer,
  silence = SILENCE,
  sent: (socket: Socket) => void = () => {}
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let received = ''
  const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    sent(socket)
  })
  socket
    .setTimeout(silence, () => socket.destroy())
    .on('data', data => {
      received += data.toString('latin1')
    })
    .on('error', () => {})
    .on('close', () => resolve(received))
  return promise
}

/** The same over `/http/1.1` to a peer that the node is connected to. */
export async function sendToPeer(node: Libp2p, peer: string, bytes: string, silence = SILENCE): Promise<string> {
  const stream = await node.dialProtocol(peerIdFromString(peer), HTTP_PROTOCOL)
  const { promise, resolve } = Promise.withResolvers<void>()
  let timer = setTimeout(resolve, silence)
  let received = ''
  stream.addEventListener('message', ({ data }) => {
    clearTimeout(timer)
    timer = setTimeout(resolve, silence)
    received += Buffer.from(data.subarray()).toString('latin1')
  })
  stream.addEventListener('remoteCloseWrite', () => resolve())
  stream.addEventListener('close', () => resolve())
  stream.send(Buffer.from(bytes, 'latin1'))
  await promise
  clearTimeout(timer)
  stream.abort(new Error('done'))
  return received
}

/** Status of the first answer among what came back; 0 when there is none. */
export const statusOf = (received: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0)

/** How many answers came. */
export const answersIn = (received: string): number => received.match(/^HTTP\/1\.1 \d{3}/gm)?.length ?? 0

export const bodyOf = (received: string): string => received.slice(received.indexOf('\r\n\r\n') + 4)

export interface RawInit {
  /** resets the connection soon after sending. @default false */
  reset?: boolean
  /** milliseconds of silence after which it is enough. @default 1000 */
  wait?: number
}

/** As {@link sendToPort}, for senders who leave at once too. */
export function send(
  url: string,
  bytes: string | Buffer,
  { reset = false, wait = 1000 }: RawInit = {}
): Promise<string> {
  return sendToPort(url, bytes, wait, socket => {
    if (reset) setTimeout(() => socket.resetAndDestroy(), 20)
  })
}
