import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Advert } from '@hedgerow/protocols/advert'
import type { ServiceContract } from '@hedgerow/protocols/contract'
import { createLedger } from '@hedgerow/protocols/ledger'
import { createTrust, grant, meshIdOf, openTrust, type Trust } from '@hedgerow/protocols/membership'
import { sealStatement } from '@hedgerow/protocols/statement'
import { createView } from '@hedgerow/protocols/view'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { clear } from '../src/clearance.ts'
import type { MeshRequest } from '../src/request.ts'

function contract(fields: Pick<ServiceContract, 'name'> & Partial<ServiceContract>): ServiceContract {
  return {
    protocol: 'http',
    version: '1.0.0',
    title: '',
    aliases: [],
    tier: 'cpu',
    replicas: 2,
    concurrency: 4,
    operations: [],
    ...fields
  }
}

describe('clearance for a bridge', () => {
  let relay: Server
  let url: string
  let authority: PrivateKey
  let mesh: string
  /** what the relay answers */
  let said: string
  let asked: number

  before(async () => {
    authority = await generateKeyPair('Ed25519')
    mesh = await meshIdOf('test', authority.publicKey.raw)
  })

  beforeEach(async () => {
    asked = 0
    relay = createServer((_request, response) => {
      asked++
      response.end(said)
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`
  })

  afterEach(() => relay.close())

  /** An advert of a worker that offers papers (confidential) and echo (public). */
  async function advertBy(by: PrivateKey): Promise<string> {
    const privateKey = await generateKeyPair('Ed25519')
    const peerId = peerIdFromPrivateKey(privateKey).toString()
    const credential = await grant(
      { mesh, subject: peerId, classes: ['confidential'], ttl: 3600, roles: ['worker'], services: ['*'] },
      { privateKey: by }
    )
    const advert: Advert = {
      peerId,
      credential,
      sequence: 1n,
      role: 'worker',
      name: 'attic',
      version: '0.1.0',
      addrs: [],
      capabilities: { cores: 4, memory: 8192, disk: 100_000, gpus: [], arch: 'x64', platform: 'linux' },
      eligible: [],
      services: [
        { contract: contract({ name: 'papers', aliases: ['p'], dataClass: 'confidential' }), resources: [] },
        { contract: contract({ name: 'echo' }), resources: [] }
      ]
    }
    const statement = { type: 'advert', advert } as const
    return Buffer.from(await sealStatement(statement, { mesh, privateKey })).toString('base64')
  }

  function components(trust: Trust = createTrust({ mesh, authority: authority.publicKey.raw })) {
    const view = createView({ now: () => 0 })
    return { view, trust, ledger: createLedger({ mesh, view, trust, now: () => 0 }) }
  }

  const request = (path: string, headers = {}): MeshRequest =>
    ({ path, headers: new Headers(headers), signal: new AbortController().signal }) as MeshRequest

  const refused = { cause: { code: 'ClassNotAllowed' } }
  const hidden = async (promise: Promise<void>, what: RegExp): Promise<void> => {
    await assert.rejects(promise, (err: TypeError) => {
      const cause = err.cause as { code: string; message: string }
      assert.equal(cause.code, refused.cause.code)
      assert.match(cause.message, what)
      return true
    })
  }

  it('asks the relay for what the page has not heard of, once, and believes what is signed', async () => {
    said = JSON.stringify({ adverts: [await advertBy(authority)] })
    const all = components()
    await hidden(clear(request('/service/papers/x'), [url], all), /confidential/)
    await hidden(clear(request('/service/%70/x?y'), [url], all), /confidential/)
    await clear(request('/service/echo'), [url], all)
    assert.equal(asked, 1)
  })

  it('passes nothing in a closed mesh that nobody signed for, unless the request itself says its class', async () => {
    const stranger = await generateKeyPair('Ed25519')
    for (said of [
      JSON.stringify({ adverts: [await advertBy(stranger)] }),
      '{"adverts":[1,"!"]}',
      'null',
      'rubbish',
      ''
    ]) {
      const all = components()
      await hidden(clear(request('/service/echo'), [url], all), /Hedgerow-Data-Class/)
      await hidden(clear(request('/v1/chat/completions'), [url], all), /Hedgerow-Data-Class/)
      await clear(request('/service/echo', { 'hedgerow-data-class': 'public' }), [url], all)
      await hidden(
        clear(request('/service/echo', { 'hedgerow-data-class': 'confidential' }), [url], all),
        /confidential/
      )
    }
  })

  it('asks the next relay when one does not answer, and passes what an open mesh does not know', async () => {
    said = JSON.stringify({ adverts: [await advertBy(authority)] })
    await clear(request('/service/echo'), ['http://127.0.0.1:1', url], components())
    await clear(request('/service/nobody-knows'), [url], components(openTrust(mesh)))
  })
})
