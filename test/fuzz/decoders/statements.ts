import { type Advert, decodeAdvert, decodeGoodbye, encodeAdvert, encodeGoodbye } from '@hedgerow/protocols/advert'
import { createLedger } from '@hedgerow/protocols/ledger'
import { decodeLoadReport, encodeLoadReport } from '@hedgerow/protocols/load'
import { InvalidReceipt, openReceipt, signReceipt } from '@hedgerow/protocols/receipt'
import { InvalidMessage, openStatement, type Statement, sealStatement } from '@hedgerow/protocols/statement'
import { createView } from '@hedgerow/protocols/view'
import { openVouch, sealVouch } from '@hedgerow/protocols/vouch'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { RecordEnvelope } from '@libp2p/peer-record'
import type { Decoder } from '../index.ts'

const MESH = 'hedgerow'
export const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(7))
export const peerId = peerIdFromPrivateKey(privateKey).toString()
const vouch = await sealVouch(
  { peerId, addr: '/dns4/mesh.example.org/tcp/443/tls/ws', scope: 'public', at: 1_700_000_000 },
  { mesh: MESH, privateKey }
)
const ledgerOf = () => createLedger({ mesh: MESH, view: createView({ now: () => performance.now() }) })

const advert: Advert = {
  peerId,
  sequence: 42n,
  role: 'worker',
  name: 'worker-1',
  version: '1.0.0',
  addrs: ['/ip4/127.0.0.1/tcp/4001', '/dns4/example.org/tcp/443/tls/ws'],
  url: 'https://mesh.example.org',
  entries: [{ kind: 'tunnel', addr: '/dns4/mesh.example.org/tcp/443/tls/ws', vouch }],
  capabilities: {
    cores: 4,
    memory: 8192,
    disk: 10_000,
    gpus: [{ model: 'one', memory: 8000 }],
    arch: 'x64',
    platform: 'linux'
  },
  services: [
    {
      resources: ['model/llama3'],
      contract: {
        name: 'lab',
        version: '1.0.0',
        title: 'A lab',
        aliases: ['laboratory'],
        protocol: 'http',
        tier: 'cpu',
        replicas: 2,
        concurrency: 4,
        stateKey: 'collection',
        operations: [
          {
            method: 'POST',
            path: '/echo/{id}',
            main: true,
            idempotent: true,
            internal: false,
            firstByteTimeout: 1000,
            chunkTimeout: 1000,
            bodyLimit: 1024
          }
        ]
      }
    }
  ],
  eligible: ['lab', 'ner-extraction']
}
const report = {
  peerId,
  sequence: 7n,
  service: 'lab',
  inFlight: 1,
  queued: 2,
  concurrency: 4,
  latency: 12,
  errorRate: 0.1,
  interval: 1000
}
const STATEMENTS: Statement[] = [
  { type: 'advert', advert },
  { type: 'goodbye', goodbye: { peerId, sequence: 43n } },
  { type: 'load', report }
]
export const sealed = await Promise.all(
  STATEMENTS.map(statement => sealStatement(statement, { mesh: MESH, privateKey }))
)
const TYPES = ['advert', 'goodbye', 'load']

const isInvalid = (err: unknown): boolean => err instanceof InvalidMessage
/** What the protobuf reader says of bytes that are no message; `openStatement` makes an InvalidMessage of it. */
const isUnreadable = (err: unknown): boolean =>
  isInvalid(err) ||
  (err instanceof Error && (err.constructor === Error || err instanceof RangeError) && !/call stack/.test(err.message))

/** What a stranger signs: any payload in a good envelope. */
async function signed(bytes: Uint8Array): Promise<Uint8Array> {
  const type = TYPES[(bytes[0] ?? 0) % TYPES.length]
  const payload = bytes.subarray(1)
  const codec = new TextEncoder().encode(`/hedgerow/${type}/1`)
  const record = { domain: `hedgerow/${MESH}`, codec, marshal: () => payload, equals: () => false }
  return (await RecordEnvelope.seal(record, privateKey)).marshal()
}
const payloads = [encodeAdvert(advert), encodeGoodbye({ peerId, sequence: 43n }), encodeLoadReport(report)]
const tagged = payloads.map((payload, i) => Uint8Array.from([i, ...payload]))
const receipt = await signReceipt(
  {
    worker: peerId,
    requestId: 'c0ffee',
    mesh: MESH,
    service: 'lab',
    operation: 'POST /echo',
    caller: 'local',
    depth: 0,
    request: { bytes: 1, sha256: '0'.repeat(64), complete: true },
    answer: { bytes: 1, sha256: '0'.repeat(64) },
    status: 200,
    startedAt: 1,
    endedAt: 2
  },
  privateKey
)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export const STATEMENT_DECODERS: Decoder[] = [
  {
    name: 'statement',
    files: ['protocols/src/statement/index.ts', 'protocols/src/statement/checks.ts', 'daemon/src/node/index.ts'],
    seeds: () => sealed,
    decode: bytes => openStatement(bytes, MESH),
    refuses: isInvalid
  },
  {
    name: 'signed-statement',
    files: ['protocols/src/statement/index.ts'],
    seeds: () => tagged,
    decode: async bytes => openStatement(await signed(bytes), MESH),
    refuses: isInvalid
  },
  {
    name: 'ledger',
    files: ['protocols/src/ledger/index.ts', 'daemon/src/discovery/gossip.ts'],
    seeds: () => tagged,
    decode: async bytes => ledgerOf().learn(await signed(bytes))
  },
  {
    name: 'advert',
    files: ['protocols/src/advert/messages.ts'],
    seeds: () => payloads,
    decode: bytes => decodeAdvert(bytes, peerId),
    refuses: isUnreadable
  },
  {
    name: 'goodbye',
    files: ['protocols/src/advert/messages.ts'],
    seeds: () => payloads,
    decode: bytes => decodeGoodbye(bytes, peerId),
    refuses: isUnreadable
  },
  {
    name: 'load-report',
    files: ['protocols/src/load/messages.ts'],
    seeds: () => payloads,
    decode: bytes => decodeLoadReport(bytes, peerId),
    refuses: isUnreadable
  },
  {
    name: 'vouch',
    files: ['protocols/src/vouch/index.ts'],
    seeds: () => [vouch],
    decode: bytes => openVouch(bytes, MESH),
    refuses: isInvalid
  },
  {
    name: 'signed-vouch',
    files: ['protocols/src/vouch/index.ts'],
    seeds: () => [RecordEnvelope.createFromProtobuf(vouch).payload],
    decode: async payload => {
      const codec = new TextEncoder().encode('/hedgerow/vouch/1')
      const record = { domain: `hedgerow/${MESH}/vouch`, codec, marshal: () => payload, equals: () => false }
      return openVouch((await RecordEnvelope.seal(record, privateKey)).marshal(), MESH)
    },
    refuses: isInvalid
  },
  {
    name: 'receipt',
    files: ['protocols/src/receipt/jws.ts'],
    seeds: () => [new TextEncoder().encode(receipt)],
    words: ['.', 'eyJhbGciOiJub25lIn0', 'eyJ9'],
    decode: bytes => openReceipt(text(bytes)),
    refuses: err => err instanceof InvalidReceipt
  }
]
