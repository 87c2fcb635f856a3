import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { type Advert, decodeAdvert, encodeAdvert } from '../src/advert/index.ts'
import type { ServiceContract } from '../src/contract/index.ts'
import { Advert as WireAdvert } from '../src/proto/gen/hedgerow.pb.ts'
import { InvalidMessage, openStatement, sealStatement } from '../src/statement/index.ts'

const mesh = 'test'

function advertOf(peerId: string): Advert {
  return {
    peerId,
    sequence: 7n,
    role: 'worker',
    name: 'attic',
    version: '0.1.0',
    addrs: ['/ip4/127.0.0.1/tcp/4001'],
    url: 'https://mesh.example.org',
    capabilities: {
      cores: 4,
      memory: 8192,
      disk: 100_000,
      gpus: [{ model: 'RTX', memory: 8192 }],
      arch: 'x64',
      platform: 'linux'
    },
    services: [
      {
        resources: ['collection/default'],
        contract: {
          name: 'rag-embeddings',
          version: '1.0.0',
          title: 'Finds passages',
          aliases: ['rag'],
          protocol: 'http',
          tier: 'storage',
          replicas: 2,
          concurrency: 4,
          stateKey: 'collection',
          operations: [
            {
              method: 'POST',
              path: '/query',
              main: true,
              idempotent: true,
              internal: false,
              firstByteTimeout: 30_000,
              chunkTimeout: 15_000,
              bodyLimit: 1_000_000
            }
          ]
        }
      }
    ],
    eligible: ['rag-embeddings', 'ner-extraction']
  }
}

describe('a statement', () => {
  let privateKey: PrivateKey
  let advert: Advert

  before(async () => {
    privateKey = await generateKeyPair('Ed25519')
    advert = advertOf(peerIdFromPrivateKey(privateKey).toString())
  })

  it('arrives as it was said', async () => {
    const bytes = await sealStatement({ type: 'advert', advert }, { mesh, privateKey })
    assert.deepEqual(await openStatement(bytes, mesh), { type: 'advert', advert })
  })

  it('tells a TCP service from one that speaks HTTP', async () => {
    const [offer] = advert.services
    assert.ok(offer != null)
    const contract: ServiceContract = { ...offer.contract, protocol: 'tcp', operations: [] }
    const tcp: Advert = { ...advert, services: [{ ...offer, contract }] }
    const bytes = await sealStatement({ type: 'advert', advert: tcp }, { mesh, privateKey })
    assert.deepEqual(await openStatement(bytes, mesh), { type: 'advert', advert: tcp })
  })

  it('says nothing of the protocol of an HTTP service, as those did that were made before there was another', () => {
    const { services } = WireAdvert.decode(encodeAdvert(advert))
    assert.equal(services[0]?.contract?.protocol, '')
    assert.equal(decodeAdvert(encodeAdvert(advert), advert.peerId).services[0]?.contract.protocol, 'http')
  })

  for (const [what, fields] of [
    ['a protocol that nobody knows', { protocol: 'udp' }],
    ['operations of a TCP service', { protocol: 'tcp' }]
  ] as const) {
    it(`is refused for ${what}`, () => {
      const wire = WireAdvert.decode(encodeAdvert(advert))
      Object.assign(wire.services[0]?.contract ?? {}, fields)
      assert.throws(() => decodeAdvert(WireAdvert.encode(wire).finish(), advert.peerId), InvalidMessage)
    })
  }

  it('means nothing in another mesh', async () => {
    const bytes = await sealStatement({ type: 'advert', advert }, { mesh, privateKey })
    await assert.rejects(openStatement(bytes, 'other'), InvalidMessage)
  })

  it('can only be about its signer', async () => {
    const other = await generateKeyPair('Ed25519')
    await assert.rejects(sealStatement({ type: 'advert', advert }, { mesh, privateKey: other }), InvalidMessage)
  })

  it('is refused when any field is out of its bounds', async () => {
    const report = {
      peerId: advert.peerId,
      sequence: 1n,
      service: 'ner-extraction',
      inFlight: 0,
      queued: 0,
      concurrency: 1,
      latency: 1,
      errorRate: 0,
      interval: 1000
    }
    const bad = [
      { type: 'advert' as const, advert: { ...advert, url: 'javascript:alert(1)' } },
      { type: 'advert' as const, advert: { ...advert, eligible: ['../etc'] } },
      { type: 'advert' as const, advert: { ...advert, name: 'x'.repeat(201) } },
      { type: 'advert' as const, advert: { ...advert, addrs: Array(33).fill('/ip4/127.0.0.1/tcp/1') } },
      { type: 'load' as const, report: { ...report, errorRate: 2 } },
      { type: 'load' as const, report: { ...report, latency: Number.NaN } },
      { type: 'load' as const, report: { ...report, interval: 0 } },
      { type: 'load' as const, report: { ...report, service: 'NER' } }
    ]
    for (const statement of bad) {
      await assert.rejects(
        async () => openStatement(await sealStatement(statement, { mesh, privateKey }), mesh),
        InvalidMessage
      )
    }
  })

  it('never says anything else when a bit of it is flipped', async () => {
    const statement = { type: 'goodbye' as const, goodbye: { peerId: advert.peerId, sequence: 9n } }
    const bytes = await sealStatement(statement, { mesh, privateKey })
    let refused = 0
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      try {
        // protobuf reads some wire types alike, so a few flips change nothing that was signed
        assert.deepEqual(await openStatement(changed, mesh), statement)
      } catch (err) {
        if (!(err instanceof InvalidMessage)) throw err
        refused++
      }
    }
    assert.ok(refused > bytes.length * 7, `${refused} of ${bytes.length * 8} flips refused`)
  })

  it('refuses arbitrary bytes with InvalidMessage and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async bytes =>
        assert.rejects(openStatement(bytes, mesh), InvalidMessage)
      )
    )
  })
})
