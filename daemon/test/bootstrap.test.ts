import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import pino from 'pino'
import { Bootstrapper } from '../src/discovery/index.ts'
import { createNode, type Node } from '../src/node/index.ts'
import { freePort } from '../src/startup/index.ts'

describe('joining a mesh', function () {
  this.timeout(30_000)
  const nodes: Node[] = []
  let server: Server | undefined
  let bootstrapper: Bootstrapper | undefined

  const start = async (privateKey: PrivateKey, port = 0): Promise<Node> => {
    const node = await createNode({ privateKey, mesh: 'test', role: 'relay', listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    nodes.push(node)
    await node.start()
    return node
  }

  afterEach(async () => {
    bootstrapper?.stop()
    server?.close()
    await Promise.all(nodes.splice(0).map(node => node.stop()))
  })

  it('comes back to a relay that was lost, though others that it named are still there', async () => {
    const key = await generateKeyPair('Ed25519')
    const port = await freePort()
    const relay = await start(key, port)
    const other = await start(await generateKeyPair('Ed25519'))
    const peers = [...relay.getMultiaddrs(), ...other.getMultiaddrs()].map(String)
    server = createServer((_request, response) => response.end(JSON.stringify({ mesh: 'test', peers })))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    assert.ok(address != null && typeof address === 'object')

    const node = await start(await generateKeyPair('Ed25519'))
    bootstrapper = new Bootstrapper(
      { node, log: pino({ level: 'silent' }) },
      { relays: [{ url: `http://127.0.0.1:${address.port}` }], remembered: () => [] }
    )
    bootstrapper.start()
    await connection(node, relay)
    await connection(node, other)
    await relay.stop()
    const again = await start(key, port)
    await connection(again, node)
    assert.equal(again.getConnections(node.peerId).length > 0, true)
    assert.equal(node.getConnections(other.peerId).length > 0, true)
  })
})

async function connection(one: Node, other: Node): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    if (one.getConnections(other.peerId).length > 0) resolve()
  }
  one.addEventListener('connection:open', look)
  look()
  await promise
  one.removeEventListener('connection:open', look)
}
