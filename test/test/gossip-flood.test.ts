import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, type Node } from '@hedgerow/daemon/node'
import { advertTopic, loadTopic } from '@hedgerow/protocols/ids'
import { sealStatement } from '@hedgerow/protocols/statement'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { getJson, memoryOf, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

const MIB = 1024 * 1024
/** Messages, and how many of them in a batch: 2000 a second, for eight seconds. */
const FLOOD = 16_000
const BATCH = 100
const BATCH_INTERVAL = 50

/** Kept apart from sending: a signature takes longer than a message. */
async function reportsOf(node: Node, privateKey: PrivateKey, mesh: string): Promise<Uint8Array[]> {
  const report = { service: 'lab', inFlight: 1, queued: 0, concurrency: 1, latency: 1, errorRate: 0, interval: 1000 }
  const sealed: Uint8Array[] = []
  for (let sequence = 1n; sequence <= FLOOD; sequence++) {
    const peerId = node.peerId.toString()
    sealed.push(await sealStatement({ type: 'load', report: { ...report, peerId, sequence } }, { mesh, privateKey }))
  }
  return sealed
}

const junk = (): Uint8Array[] => Array.from({ length: FLOOD }, (_, i) => Buffer.from(`junk ${i} ${'x'.repeat(200)}`))

describe('a mesh that somebody floods with gossip', function () {
  this.timeout(180_000)
  let mesh: TestMesh
  let name: string
  let attacker: Node
  let privateKey: PrivateKey

  before(async () => {
    mesh = await testMesh({ workers: 2 })
    name = (await getJson<{ mesh: string }>(`${mesh.relay.url}/bootstrap`)).mesh
  })

  after(() => mesh?.stop())

  beforeEach(async () => {
    const { peers } = await getJson<{ peers: string[] }>(`${mesh.relay.url}/bootstrap`)
    privateKey = await generateKeyPair('Ed25519')
    attacker = await createNode({ privateKey, mesh: name, role: 'client', listen: [] })
    await attacker.start()
    for (const topic of [advertTopic(name), loadTopic(name, 'lab')]) attacker.services.pubsub.subscribe(topic)
    await attacker.dial(multiaddr(peers[0] ?? ''))
    await until(
      'it hears the others',
      async () => attacker.services.pubsub.getSubscribers(loadTopic(name, 'lab')).length > 0
    )
  })

  afterEach(() => attacker?.stop())

  const floods: Array<[what: string, verdict: string, () => Promise<Uint8Array[]>]> = [
    ['of valid reports', 'flood', () => reportsOf(attacker, privateKey, name)],
    ['of junk', 'invalid', async () => junk()]
  ]
  for (const [what, verdict, make] of floods) {
    it(`goes on, and holds no more: ${what}`, async () => {
      const messages = await make()
      const peers = [mesh.relay, ...mesh.workers]
      const before = await Promise.all(peers.map(({ pid }) => memoryOf(pid)))
      const times: number[] = []
      let flooding = true
      const requests = (async () => {
        while (flooding) {
          const startedAt = performance.now()
          const response = await postJson(`${mesh.relay.url}/service/lab`, {})
          const answer = await response.text()
          assert.equal(response.status, 200, answer)
          times.push(performance.now() - startedAt)
        }
      })()
      // Were reports of the others lost, they would be silent and out of routing.
      let silent = 0
      const beganAt = performance.now()
      for (let i = 0; i < messages.length; i += BATCH) {
        for (const message of messages.slice(i, i + BATCH))
          await attacker.services.pubsub.publish(loadTopic(name, 'lab'), message).catch(() => {})
        await sleep(Math.max(0, beganAt + ((i + BATCH) / BATCH) * BATCH_INTERVAL - performance.now()))
        if (i % (10 * BATCH) !== 0) continue
        const { workers } = await getJson<{ workers: Array<{ silent: boolean }> }>(
          `${mesh.relay.url}/api/admin/workers`
        )
        silent = Math.max(silent, workers.filter(worker => worker.silent).length)
      }
      flooding = false
      await requests
      assert.ok(times.length > 10)
      assert.ok(Math.max(...times) < 5000, `the slowest answer took ${Math.round(Math.max(...times))} ms`)
      assert.equal(silent, 0, 'honest reports arrive')
      const metrics = await (await fetch(`${mesh.relay.url}/metrics`)).text()
      assert.match(metrics, new RegExp(`hedgerow_gossip_messages_total\\{topic="load",verdict="${verdict}"\\} [1-9]`))
      const grown = await Promise.all(
        peers.map(async ({ pid }, i) => Math.round((await memoryOf(pid)) / MIB - (before[i] ?? 0) / MIB))
      )
      assert.ok(Math.max(...grown) < 100, `grown by ${grown.join(', ')} MiB`)
    })
  }
})
