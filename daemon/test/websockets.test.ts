import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { noise } from '@libp2p/noise'
import { createLibp2p } from 'libp2p'
import { WEBSOCKET_PING_INTERVAL } from '../src/node/constants.ts'
import { safeWebSockets } from '../src/node/websockets.ts'

describe('a WebSocket that nobody uses', () => {
  it('is pinged before proxies cut it', async () => {
    assert.ok(WEBSOCKET_PING_INTERVAL < 60_000)
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
      transports: [safeWebSockets({ pingInterval: 20 })],
      connectionEncrypters: [noise()]
    })
    let socket: Socket | undefined
    try {
      const addr = node.getMultiaddrs()[0]?.getComponents() ?? []
      socket = connect(Number(addr.find(({ name }) => name === 'tcp')?.value), '127.0.0.1')
      socket.write(
        'GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
      )
      let received = Buffer.alloc(0)
      socket.on('data', chunk => {
        received = Buffer.concat([received, chunk])
      })
      // A final frame, opcode 9, with nothing in it.
      const isPing = (): boolean => received.includes(Buffer.from([0x89, 0x00]))
      for (const end = performance.now() + 10_000; !isPing() && performance.now() < end; ) await sleep(10)
      assert.ok(isPing())
    } finally {
      socket?.destroy()
      await node.stop()
    }
  })
})
