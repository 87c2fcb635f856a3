import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, type Node } from '@hedgerow/daemon/node'
import { freePort } from '@hedgerow/daemon/startup'
import { HTTP_PROTOCOL } from '@hedgerow/protocols/ids'
import { streamDuplex } from '@hedgerow/protocols/invocation/node'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { getJson, postJson, type TestMesh, testMesh } from '../src/harness.ts'
import { send } from '../src/raw.ts'
import { SMUGGLED, SMUGGLED_IN_BODY } from '../src/smuggling.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const SECOND = `${OK}content-length: 8\r\n\r\nsmuggled`
/** Answers that could be read in two ways. */
const ANSWERS: Record<string, string> = {
  'a length and chunks': `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${SECOND}`,
  'two lengths': `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello${SECOND}`,
  'a list of lengths': `${OK}content-length: 5, 5\r\n\r\nhello${SECOND}`,
  'a length with a sign': `${OK}content-length: +5\r\n\r\nhello${SECOND}`,
  'a folded header': `${OK}x: a\r\n b\r\ncontent-length: 5\r\n\r\nhello`,
  'line feeds alone': 'HTTP/1.1 200 OK\ncontent-length: 5\n\nhello',
  'a coding that only looks like chunks': `${OK}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${SECOND}`,
  'chunks and then something else': `${OK}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${SECOND}`,
  'something else and then chunks': `${OK}transfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  'a size with a prefix': `${OK}transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`,
  'a zero byte': `${OK}x: a\0b\r\ncontent-length: 5\r\n\r\nhello`,
  'a carriage return in a header': `${OK}x: a\rset-cookie: b\r\ncontent-length: 5\r\n\r\nhello`
}

/** A backend that answers with the bytes whose name the path holds, and listens for health. */
function rawBackend(): Server {
  return createServer(socket => {
    socket
      .on('error', () => {})
      .on('data', data => {
        const [, path = ''] = /^\w+ (\S+)/.exec(String(data)) ?? []
        const what = decodeURIComponent(path.slice('/raw/'.length))
        socket.write(ANSWERS[what] ?? `${OK}content-length: 2\r\n\r\nok`, 'latin1')
      })
  })
}

describe('bytes that could be read in two ways', function () {
  this.timeout(120_000)
  let mesh: TestMesh
  let attacker: Node
  let backend: Server
  let dir: string

  before(async () => {
    const port = await freePort()
    backend = rawBackend().listen(port, '127.0.0.1')
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-raw-'))
    await mkdir(join(dir, 'raw'))
    await writeFile(
      join(dir, 'raw/hedgerow.service.yaml'),
      `name: raw
version: 1.0.0
title: Answers in bytes
backend: { url: "http://127.0.0.1:${port}" }
health: { path: /health }
operations:
  - { method: POST, path: /, main: true }
  - { method: GET, path: "/raw/{what}", idempotent: true, first_byte_s: 5, between_chunks_s: 5 }
`
    )
    mesh = await testMesh({
      workers: 1,
      services: ['lab', 'raw'],
      env: { HEDGEROW_SERVICES_DIR: [new URL('../fixtures', import.meta.url).pathname, dir].join(',') }
    })
    const { mesh: name, peers } = await getJson<{ mesh: string; peers: string[] }>(
      `${mesh.workers[0]?.url}/api/dht/bootstrap`
    )
    attacker = await createNode({
      privateKey: await generateKeyPair('Ed25519'),
      mesh: name,
      role: 'client',
      listen: []
    })
    await attacker.start()
    await attacker.dial(multiaddr(peers.find(addr => /127\.0\.0\.1\/tcp\/\d+\/p2p/.test(addr)) ?? peers[0] ?? ''))
  })

  after(async () => {
    await attacker?.stop()
    await mesh?.stop()
    backend?.close()
    if (dir != null) await rm(dir, { recursive: true, force: true })
  })

  const served = async (): Promise<number> => {
    const { counted } = await getJson<{ counted: number }>(`${mesh.workers[0]?.url}/service/lab/counted`)
    return counted
  }

  /** Sends bytes on a stream to the worker, and reads what comes until it closes or is silent. */
  async function onStream(bytes: string): Promise<string> {
    const [connection] = attacker.getConnections()
    assert.ok(connection != null)
    const duplex = streamDuplex(await connection.newStream(HTTP_PROTOCOL), connection)
    let answer = ''
    duplex.on('end', () => duplex.destroy())
    duplex
      .on('error', () => {})
      .on('data', data => {
        answer += data.toString('latin1')
      })
      .write(Buffer.from(bytes, 'latin1'))
    const silence = setTimeout(() => duplex.destroy(), 1000)
    await once(duplex, 'close')
    clearTimeout(silence)
    return answer
  }

  for (const [what, bytes] of Object.entries(SMUGGLED))
    it(`are refused at every port and on streams: ${what}`, async () => {
      for (const url of [mesh.relay.url, mesh.workers[0]?.url ?? ''])
        assert.match(await send(url, Buffer.from(bytes, 'latin1')), /^HTTP\/1.1 400 /)
      assert.match(await onStream(bytes), /^HTTP\/1.1 400 /)
    })

  for (const [what, bytes] of Object.entries(SMUGGLED_IN_BODY))
    it(`end the connection, with no second answer: ${what}`, async () => {
      for (const answer of [
        await send(mesh.relay.url, Buffer.from(bytes, 'latin1')),
        await send(mesh.workers[0]?.url ?? '', Buffer.from(bytes, 'latin1')),
        await onStream(bytes)
      ]) {
        assert.doesNotMatch(answer, /counted/)
        assert.ok(answer.split('HTTP/1.1 ').length <= 2, answer)
      }
    })

  for (const what of Object.keys(ANSWERS))
    it(`are no answer of a backend: ${what}`, async () => {
      for (const url of [mesh.relay.url, mesh.workers[0]?.url ?? '']) {
        const response = await fetch(`${url}/service/raw/raw/${encodeURIComponent(what)}`)
        const text = await response.text()
        assert.doesNotMatch(text, /smuggled/)
        assert.equal(response.status, 502, text)
        assert.equal(JSON.parse(text).code, 'BackendFailed')
      }
    })

  it('take nothing from anybody else', async () => {
    assert.equal(await served(), 0)
    assert.equal((await postJson(`${mesh.relay.url}/service/lab`, {})).status, 200)
    assert.equal(await (await fetch(`${mesh.relay.url}/service/raw/raw/ok`)).text(), 'ok')
  })
})
