import assert from 'node:assert/strict'
import type { Advert } from '@hedgerow/protocols/advert'
import type { ServiceContract } from '@hedgerow/protocols/contract'
import type { Finder } from '@hedgerow/protocols/dispatch'
import { createLedger } from '@hedgerow/protocols/ledger'
import { sealStatement } from '@hedgerow/protocols/statement'
import { createView, type View } from '@hedgerow/protocols/view'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import pino from 'pino'
import { createFinder, Directory } from '../src/discovery/index.ts'
import { createNode, type Node } from '../src/node/index.ts'

const MESH = 'test'
const NER: ServiceContract = {
  name: 'ner',
  version: '1.0.0',
  title: 'Finds names',
  aliases: [],
  protocol: 'http',
  tier: 'cpu',
  replicas: 2,
  concurrency: 4,
  operations: []
}
const OTHER: ServiceContract = { ...NER, name: 'other' }

interface Party {
  privateKey: PrivateKey
  node: Node
  view: View
  directory: Directory
  finder: Finder
}

describe('the DHT alone', function () {
  // Nobody here listens to a topic or asks anybody for a snapshot: what a peer learns, it has from the DHT.
  this.timeout(60_000)
  const parties: Party[] = []
  let relay: Party

  const join = async (role: 'relay' | 'worker' | 'client'): Promise<Party> => {
    const privateKey = await generateKeyPair('Ed25519')
    const log = pino({ level: 'silent' })
    const listen = role === 'client' ? [] : ['/ip4/127.0.0.1/tcp/0']
    const node = await createNode({ privateKey, mesh: MESH, role, listen })
    const view = createView({ now: () => performance.now() })
    const ledger = createLedger({ mesh: MESH, view })
    const directory = new Directory({ dht: node.services.dht, ledger, log })
    const finder = createFinder({ directory, view, self: node.peerId.toString() })
    const party = { privateKey, node, view, directory, finder }
    parties.push(party)
    await node.start()
    const [address] = role === 'relay' ? [] : relay.node.getMultiaddrs()
    if (address != null) await node.dial(multiaddr(address.toString()))
    return party
  }

  /** Writes that a party provides the service, and an advert of it that offers `services`. */
  const offer = async ({ privateKey, node, directory }: Party, services = [NER]): Promise<void> => {
    const peerId = node.peerId.toString()
    const advert: Advert = {
      peerId,
      sequence: 1n,
      role: 'worker',
      name: 'attic',
      version: '0.1.0',
      addrs: node.getMultiaddrs().map(String),
      capabilities: { cores: 4, memory: 8192, disk: 100_000, gpus: [], arch: 'x64', platform: 'linux' },
      eligible: [],
      services: services.map(contract => ({ contract, resources: [] }))
    }
    const sealed = await sealStatement({ type: 'advert', advert }, { mesh: MESH, privateKey })
    await directory.putAdvert(peerId, sealed)
    await directory.provide(`service:${NER.name}`)
  }

  /** Asks until it is found: a node knows others in the DHT only some time after it has met them. */
  const finds = async ({ finder }: Party, offering: () => Promise<void>, patience = 30_000): Promise<boolean> => {
    const end = AbortSignal.timeout(patience)
    while (!end.aborted) {
      await offering()
      if (await finder.find(NER.name, AbortSignal.any([end, AbortSignal.timeout(5000)]))) return true
    }
    return false
  }

  beforeEach(async () => {
    relay = await join('relay')
  })
  afterEach(async () => {
    await Promise.all(parties.splice(0).map(({ node }) => node.stop()))
  })

  it('tells a newcomer of workers that it has never met, and how to reach them', async () => {
    const workers = [await join('worker'), await join('worker')]
    const asker = await join('client')
    const ids = workers.map(({ node }) => node.peerId.toString()).sort()
    const known = (): string[] =>
      asker.view
        .candidates(NER.name)
        .map(({ peerId }) => peerId)
        .sort()
    for (const { node } of workers) assert.equal(asker.node.getConnections(node.peerId).length, 0)
    // The first one is enough for an answer, so it may take another look to find them all.
    while (known().length < workers.length) {
      assert.ok(await finds(asker, async () => void (await Promise.all(workers.map(worker => offer(worker))))))
    }
    assert.deepEqual(known(), ids)
    for (const id of ids) {
      const [address = ''] = asker.view.peer(id)?.advert.addrs ?? []
      assert.equal((await asker.node.dial(multiaddr(address))).remotePeer.toString(), id)
    }
  })

  it('takes nobody for a worker who only says so of a service that its own advert does not offer', async () => {
    const liar = await join('worker')
    const asker = await join('client')
    await offer(liar, [OTHER])
    assert.equal(await finds(asker, () => offer(liar, [OTHER]), 3000), false)
    assert.equal(asker.view.candidates(NER.name).length, 0)
  })
})
