/**
 * How UDP of this machine is seen from outside: STUN servers say it (RFC 8489), asked from one socket. The port at which
 * each saw that socket tells what kind of NAT is in between (RFC 4787, 4.1).
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

export interface StunServer {
  host: string
  port: number
}

/** Servers that are asked. */
const MAX_SERVERS = 3
const DEFAULT_PORT = 3478
/** Milliseconds between two requests to a server: datagrams get lost. */
const AGAIN = 400

const BINDING_REQUEST = 0x0001
const BINDING_SUCCESS = 0x0101
const XOR_MAPPED_ADDRESS = 0x0020
const MAGIC_COOKIE = 0x2112a442
const IPV4 = 0x01
const HEADER = 20
const ID = { start: 8, end: HEADER }

/** Those that take STUN by UDP over IPv4; TURN servers do, too. @param servers as `RTCIceServer` names them */
export function stunServers(servers: ReadonlyArray<{ urls: string }>): StunServer[] {
  const found = servers.flatMap(({ urls }): StunServer[] => {
    const [, host = '', port = DEFAULT_PORT] =
      /^(?:stun|turn):([^\s:@/?[\]]+)(?::(\d{1,5}))?(?:\?transport=udp)?$/i.exec(urls) ?? []
    return host === '' || isIP(host) === 6 ? [] : [{ host, port: Number(port) }]
  })
  return found.slice(0, MAX_SERVERS)
}

/**
 * @param signal ends the wait for those that don't answer
 * @returns `address:port` as each server that answered in time saw one socket of this machine
 */
export async function seenFrom(servers: readonly StunServer[], signal: AbortSignal): Promise<string[]> {
  if (servers.length === 0) return []
  const socket = createSocket('udp4')
  try {
    const answers = servers.map(server => ask(socket, server, signal))
    return (await Promise.all(answers)).flatMap(seen => (seen == null ? [] : [seen]))
  } finally {
    socket.close()
  }
}

function ask(socket: Socket, { host, port }: StunServer, signal: AbortSignal): Promise<string | undefined> {
  const id = randomBytes(ID.end - ID.start)
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  let timer: NodeJS.Timeout | undefined
  const onMessage = (bytes: Buffer): void => {
    const seen = readBinding(bytes, id)
    if (seen != null) resolve(seen)
  }
  const onEnd = (): void => resolve(undefined)
  socket.on('message', onMessage)
  socket.on('error', onEnd)
  signal.addEventListener('abort', onEnd, { once: true })
  if (signal.aborted) onEnd()
  const start = ({ address }: LookupAddress): void => {
    if (signal.aborted) return
    // That a port is closed is no news to wait less for: the next datagram may get through.
    const send = (): void => socket.send(bindingRequest(id), port, address, () => {})
    timer = setInterval(send, AGAIN)
    send()
  }
  lookup(host, { family: 4 }).then(start).catch(onEnd)
  return promise.finally(() => {
    clearInterval(timer)
    socket.off('message', onMessage)
    signal.removeEventListener('abort', onEnd)
  })
}

export function bindingRequest(id: Uint8Array): Buffer {
  const request = Buffer.alloc(HEADER)
  request.writeUInt16BE(BINDING_REQUEST, 0)
  request.writeUInt32BE(MAGIC_COOKIE, 4)
  request.set(id, ID.start)
  return request
}

/** @returns `address:port`; undefined when it is no answer to the request with that id, or says no IPv4 address */
export function readBinding(bytes: Buffer, id: Uint8Array): string | undefined {
  if (bytes.length < HEADER || bytes.readUInt16BE(0) !== BINDING_SUCCESS) return undefined
  if (bytes.readUInt32BE(4) !== MAGIC_COOKIE || !bytes.subarray(ID.start, ID.end).equals(id)) return undefined
  const end = Math.min(bytes.length, HEADER + bytes.readUInt16BE(2))
  for (let at = HEADER; at + 4 <= end; ) {
    const [type, length] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)]
    const value = at + 4
    if (type === XOR_MAPPED_ADDRESS && length === 8 && value + length <= end && bytes[value + 1] === IPV4) {
      const address = Buffer.alloc(4)
      address.writeUInt32BE((bytes.readUInt32BE(value + 4) ^ MAGIC_COOKIE) >>> 0)
      return `${address.join('.')}:${bytes.readUInt16BE(value + 2) ^ (MAGIC_COOKIE >>> 16)}`
    }
    // each begins at a multiple of four
    at = value + Math.ceil(length / 4) * 4
  }
  return undefined
}
