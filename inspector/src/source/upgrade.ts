import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect as connectPlain } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'

export interface UpgradeInit {
  url: URL
  /** what the connection is to become */
  protocol: string
  headers: Record<string, string>
  signal: AbortSignal
}

export type Upgraded =
  | { headers: Record<string, string>; socket: Duplex }
  /** an answer in its place */
  | { status: number; body: Uint8Array }

/** Bytes of such an answer. */
const MAX_ANSWER = 64 * 1024

/** Asks an HTTP server to make something else of a connection. @throws when nobody answers there */
export async function upgrade({ url, protocol, headers, signal }: UpgradeInit): Promise<Upgraded> {
  const isTls = url.protocol === 'https:'
  const port = Number(url.port) || (isTls ? 443 : 80)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const place = { host, port, servername: host, noDelay: true, allowHalfOpen: true }
  const { promise, resolve, reject } = Promise.withResolvers<Upgraded>()
  const request = (isTls ? httpsRequest : httpRequest)({
    // Node's agents open sockets that can't be ended in one direction.
    createConnection: () => (isTls ? connectTls(place) : connectPlain(place)),
    host: url.host,
    path: url.pathname + url.search,
    headers: { host: url.host, ...headers, connection: 'Upgrade', upgrade: protocol },
    signal
  })
  request.once('error', reject)
  request.once('upgrade', (answer, socket, head) => {
    if (head.byteLength > 0) socket.unshift(head)
    resolve({ headers: singles(answer), socket })
  })
  request.once('response', answer => {
    read(answer).then(body => resolve({ status: answer.statusCode ?? 0, body }), reject)
  })
  request.end()
  return promise
}

async function read(answer: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > MAX_ANSWER) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function singles({ headers }: IncomingMessage): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') kept[name] = value
  return kept
}
