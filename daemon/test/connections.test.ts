import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Connections, type ConnectionsInit } from '../src/access/index.ts'

describe('the connections of a listener', () => {
  let server: Server
  let connections: Connections
  /** answers that wait */
  let held: ServerResponse[]
  const sockets: Socket[] = []

  async function listen(init: ConnectionsInit): Promise<void> {
    held = []
    server = createServer((request, response) => {
      if (request.url === '/held') held.push(response)
      else response.end('answer')
    })
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      socket
        .on('error', () => {})
        .on('end', () => socket.destroy())
        .resume()
    })
    connections = new Connections(server, { upgrades: true, ...init })
    await once(server.listen(0, '127.0.0.1'), 'listening')
  }

  async function open(localAddress = '127.0.0.1'): Promise<Socket> {
    const { port } = server.address() as AddressInfo
    const before = connections.size
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => {})
    sockets.push(socket)
    const arrived = once(server, 'connection')
    await once(socket, 'connect')
    await arrived
    assert.ok(connections.size <= before + 1)
    return socket
  }

  const say = (socket: Socket, path: string, ...more: string[]): void => {
    socket.write([`GET ${path} HTTP/1.1`, 'host: x', ...more, '', ''].join('\r\n'))
  }

  /** @returns the answer; a socket that is closed gives none */
  async function ask(socket: Socket, path = '/', ...more: string[]): Promise<string> {
    say(socket, path, ...more)
    return new Promise(resolve => socket.once('data', data => resolve(String(data))).once('close', () => resolve('')))
  }

  const closing = (socket: Socket): Promise<unknown> => new Promise(resolve => socket.once('close', resolve))

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    while (connections.size > 0) await new Promise(resolve => setTimeout(resolve, 5))
    assert.equal(connections.requests, 0)
  })

  it('make room for a newcomer by the one that has waited longest', async () => {
    await listen({ max: 3 })
    const [first, second, third] = [await open(), await open(), await open()]
    for (const socket of [first, second, third]) assert.match(await ask(socket), /answer/)
    // The first has been of use since, so the second has waited longest.
    assert.match(await ask(first), /answer/)
    const closed = closing(second)
    const newcomer = await open()
    await closed
    for (const socket of [first, third, newcomer]) assert.match(await ask(socket), /answer/)
    assert.equal(connections.size, 3)
  })

  it('that are in use stay, whatever they are used for; then the newcomer goes', async () => {
    await listen({ max: 3 })
    const [held1, held2, upgraded] = [await open(), await open(), await open()]
    assert.match(await ask(upgraded, '/', 'connection: upgrade', 'upgrade: x'), / 101 /)
    say(held1, '/held')
    say(held2, '/held')
    while (held.length < 2) await once(server, 'request')
    assert.equal(connections.requests, 2)
    // It may be gone before it knows that it was there.
    assert.equal(
      await open().then(
        newcomer => ask(newcomer),
        () => ''
      ),
      ''
    )
    for (const response of held) response.end('late')
    for (const socket of [held1, held2]) assert.match(String(await once(socket, 'data')), /late/)
    assert.match(await ask(await open()), /answer/)
    assert.ok(!upgraded.destroyed)
  })

  it('that never asked for anything are few, and go before those that did', async () => {
    await listen({ maxSilent: 2 })
    const useful = await open()
    assert.match(await ask(useful), /answer/)
    const oldest = await open()
    oldest.write('GET / HTTP/1.1\r\nhost: ')
    await open()
    const closed = closing(oldest)
    const newest = await open()
    await closed
    for (const socket of [useful, newest]) assert.match(await ask(socket), /answer/)
  })

  it('of one address are few, and cost no other its own', async function () {
    // Elsewhere a machine has one address of loopback.
    if (process.platform !== 'linux') this.skip()
    await listen({ maxPerAddress: 2 })
    const shared = [await open(), await open(), await open()]
    const [first] = [await open('127.0.0.2'), await open('127.0.0.2')]
    const closed = closing(first)
    const third = await open('127.0.0.2')
    await closed
    for (const socket of [...shared, third]) assert.match(await ask(socket), /answer/)
  })
})
