import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAudit } from '@hedgerow/daemon/audit'
import { parseManifest } from '@hedgerow/daemon/manifest'
import { KnownPeers } from '../../../daemon/src/discovery/known-peers.ts'
import { Sequence } from '../../../daemon/src/presence/sequence.ts'
import type { Decoder } from '../index.ts'
import { bytes, text } from './discovery.ts'
import { peerId } from './statements.ts'

const folder = mkdtempSync(join(tmpdir(), 'hedgerow-fuzz-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'audit'))

const MANIFEST = `name: lab
version: 1.0.0
title: A lab
aliases: [laboratory]
tier: cpu
replicas: everywhere
needs: { cores: 0.1, memory_mb: 50 }
backend: { process: { command: [node, server.ts], env: { A: "\${B:-c}" } } }
health: { path: /health, interval_s: 1 }
admission: { concurrency: 2, queue: 3 }
operations:
  - { method: POST, path: "/echo/{id}", main: true, idempotent: true }
  - { method: "*", path: "/files/*" }
`

const log = { warn() {}, debug() {}, info() {}, error() {} }
const node = { addEventListener() {}, removeEventListener() {} }

/** What lies in files: a manifest that somebody gave away, and what a crash or a full disk left of our own. */
export const FILE_DECODERS: Decoder[] = [
  {
    name: 'manifest',
    files: ['daemon/src/manifest/source.ts', 'daemon/src/manifest/substitute.ts', 'daemon/src/manifest/parse.ts'],
    seeds: () => bytes(MANIFEST),
    words: [
      '&a ',
      '*a',
      '<<: *a',
      '!!js ',
      '- ',
      '? ',
      '| ',
      '>',
      '---\n',
      '${',
      '{a}',
      '[[[[[[[[',
      '{{{{{{{{',
      'url: http://x'
    ],
    decode: one => parseManifest(text(one), { file: 'x.yaml', folder: '/', env: { B: 'b' } })
  },
  {
    name: 'known-peers',
    files: ['daemon/src/discovery/known-peers.ts'],
    seeds: () => bytes(JSON.stringify([[`/ip4/1.2.3.4/tcp/1/p2p/${peerId}`], ['/dns4/x/tcp/1/p2p/y']])),
    decode: async one => {
      writeFileSync(join(folder, 'known-peers.json'), one)
      const known = new KnownPeers({ node: node as never, gate: node as never, log: log as never }, folder)
      await known.start()
      const addrs = known.addrs()
      await known.stop()
      return addrs
    }
  },
  {
    name: 'sequence',
    files: ['daemon/src/presence/sequence.ts'],
    seeds: () => bytes('1764000000000', '9999999999999999999'),
    decode: async one => {
      writeFileSync(join(folder, 'sequence'), one)
      return (await Sequence.open(folder)).next()
    }
  },
  {
    name: 'audit-log',
    files: ['daemon/src/audit/read.ts', 'daemon/src/audit/names.ts'],
    seeds: () =>
      bytes(
        '{"time":"2026-11-25T00:00:00.000Z","started_at":"2026-11-25T00:00:00.000Z","request_id":"a","side":"ingress","caller":"local","service":null,"operation":null,"method":"GET","data_class":null,"request_bytes":0,"answer_bytes":0,"status":200,"outcome":"answered","worker":null,"path":null,"ms":1}\n{"time":"2026-11-25T00:00:00.000Z","lost":3}\n'
      ),
    decode: async one => {
      writeFileSync(join(folder, 'audit', 'audit-2026-11-25.jsonl'), one)
      const entries: unknown[] = []
      for await (const entry of readAudit(join(folder, 'audit'), { caller: 'local', since: 0 })) entries.push(entry)
      return entries
    }
  }
]
