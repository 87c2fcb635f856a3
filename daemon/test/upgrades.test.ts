import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import pino from 'pino'
import { MAX_FORWARDS_PER_CALLER } from '../src/access/constants.ts'
import { ANONYMOUS, type Caller } from '../src/access/index.ts'
import { nobody } from '../src/access/refusals.ts'
import { forwardCarrier } from '../src/peer/forwards.ts'
import { RequestsInHand } from '../src/peer/in-hand.ts'
import { takeUpgrades } from '../src/peer/upgrades.ts'
import { until } from './support/runtime.ts'

const log = pino({ level: 'silent' })

describe('a connection that asks for a TCP service', function () {
  this.timeout(20_000)
  let server: Server
  let inHand: RequestsInHand
  /** who is let in */
  let caller: Caller | undefined
  /** what comes of looking for a worker */
  let connecting: (signal: AbortSignal) => Promise<never> = () => Promise.reject(new Error('nobody gets here'))
  const sockets: Socket[] = []

  before(async () => {
    inHand = new RequestsInHand()
    const forwards = forwardCarrier({
      gate: {
        admit() {
          if (caller == null) throw nobody()
          return caller
        },
        addressOf: () => undefined,
        callerOf: () => ANONYMOUS
      },
      connect: request => connecting(request.signal),
      inHand,
      nameOf: () => undefined,
      dataClassOf: () => 'internal',
      record: () => {},
      signal: new AbortController().signal,
      log
    })
    server = createServer(({ method, url }, response) => {
      setImmediate(() => response.end(`${method} ${url}`))
    }).listen(0, '127.0.0.1')
    takeUpgrades(server, [forwards], log)
    await once(server, 'listening')
  })
  after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  /** A client that never ends its own direction. */
  function open(sent: string): { socket: Socket; received(): string } {
    const address = server.address()
    if (address == null || typeof address === 'string') throw new Error('no address')
    const socket = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true })
    sockets.push(socket)
    socket.on('error', () => {})
    const pieces: Buffer[] = []
    socket.on('data', piece => pieces.push(piece))
    socket.write(sent)
    return { socket, received: () => Buffer.concat(pieces).toString() }
  }

  /** @returns the first line of the answer */
  async function refused(): Promise<{ socket: Socket; line: string | undefined }> {
    const { socket, received } = open(
      'GET /service/x HTTP/1.1\r\nhost: here\r\nconnection: Upgrade\r\nupgrade: hedgerow-forward\r\n\r\n'
    )
    await once(socket, 'end')
    return { socket, line: received().split('\r\n')[0] }
  }

  it('stays HTTP when it asks with a body, or behind a request that is not answered yet', async () => {
    const ask = 'GET /service/x HTTP/1.1\r\nhost: here\r\nconnection: Upgrade\r\nupgrade: hedgerow-forward\r\n'
    const first = 'GET /slow HTTP/1.1\r\nhost: here\r\n\r\n'
    for (const [sent, answers] of [
      [`${ask}content-length: 5\r\n\r\nHELLO`, ['GET /service/x']],
      [`${ask}transfer-encoding: chunked\r\n\r\n5\r\nHELLO\r\n0\r\n\r\n`, ['GET /service/x']],
      [`${first}${ask}\r\n`, ['GET /slow', 'GET /service/x']],
      [`${first}${first}${ask}\r\n`, ['GET /slow', 'GET /service/x']]
    ] as const) {
      const { socket, received } = open(sent)
      await until('all is answered', () => answers.every(answer => received().includes(`\r\n\r\n${answer}`)))
      assert.ok(!received().includes('401'), received())
      socket.destroy()
    }
  })

  it('is told so when it may not see what the service holds', async () => {
    caller = { kind: 'peer', id: 'p', services: '*', rights: new Set(['call']), classes: ['public'] }
    assert.equal((await refused()).line, 'HTTP/1.1 403 Forbidden')
    caller = { ...caller, classes: ['internal'] }
    assert.equal((await refused()).line, 'HTTP/1.1 500 Internal Server Error', 'it got further')
    caller = undefined
  })

  it('is one of so many of its caller, and room for another when it has ended', async () => {
    caller = { kind: 'key', id: 'k', services: '*', rights: new Set(['call']) }
    connecting = signal =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    const ask = 'GET /service/x HTTP/1.1\r\nhost: here\r\nconnection: Upgrade\r\nupgrade: hedgerow-forward\r\n\r\n'
    const held = Array.from({ length: MAX_FORWARDS_PER_CALLER }, () => open(ask))
    await until('all are held', () => inHand.size === MAX_FORWARDS_PER_CALLER)
    assert.equal((await refused()).line, 'HTTP/1.1 429 Too Many Requests')
    caller = { ...caller, id: 'other' }
    const other = open(ask)
    await until('another caller has room', () => inHand.size === MAX_FORWARDS_PER_CALLER + 1)
    caller = { ...caller, id: 'k' }
    held[0]?.socket.resetAndDestroy()
    await until('it has ended', () => inHand.size === MAX_FORWARDS_PER_CALLER)
    held.push(open(ask))
    await until('there is room again', () => inHand.size === MAX_FORWARDS_PER_CALLER + 1)
    for (const { socket } of [...held, other]) socket.resetAndDestroy()
    await until('all have ended', () => inHand.size === 0)
    caller = undefined
  })

  it('is told why it is refused, and holds up nothing, though its client leaves it open', async () => {
    const { socket, line } = await refused()
    assert.equal(line, 'HTTP/1.1 401 Unauthorized')
    await inHand.drain()
    const connections = (): Promise<number> =>
      new Promise((resolve, reject) =>
        server.getConnections((err, count) => (err == null ? resolve(count) : reject(err)))
      )
    while ((await connections()) > 0) await new Promise(resolve => setTimeout(resolve, 50))
    assert.equal(socket.writableEnded, false, 'its client has not ended it')
  })
})
