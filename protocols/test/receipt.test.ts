import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { InvalidReceipt, openReceipt, type Receipt, signReceipt } from '@hedgerow/protocols/receipt'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { importJWK, SignJWT } from 'jose'

describe('receipt', () => {
  let privateKey: PrivateKey
  let receipt: Receipt

  before(async () => {
    privateKey = await generateKeyPair('Ed25519')
    const worker = peerIdFromPrivateKey(privateKey).toString()
    receipt = {
      worker,
      requestId: 'c0ffee',
      mesh: 'hedgerow',
      service: 'ner-extraction',
      operation: 'POST /extract',
      caller: `peer/${worker}`,
      dataClass: 'internal',
      depth: 0,
      request: { bytes: 2, sha256: '0'.repeat(64), complete: true },
      answer: { bytes: 3, sha256: 'f'.repeat(64) },
      status: 200,
      startedAt: 1_764_000_000_000,
      endedAt: 1_764_000_000_042
    }
  })

  const invalid = (err: unknown): boolean => err instanceof InvalidReceipt

  it('is read as it was signed', async () => {
    assert.deepEqual(await openReceipt(await signReceipt(receipt, privateKey)), receipt)
    const { dataClass: _, ...unclassified } = receipt
    assert.deepEqual(await openReceipt(await signReceipt(unclassified, privateKey)), unclassified)
  })

  it('can be checked without anything of ours: by its three parts and the key that the peer id is', async () => {
    const [header = '', payload = '', signature = ''] = (await signReceipt(receipt, privateKey)).split('.')
    const { alg, typ, kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
    assert.deepEqual([alg, typ], ['EdDSA', 'hedgerow-receipt+jwt'])
    const raw = peerIdFromString(kid).publicKey?.raw ?? new Uint8Array()
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') },
      format: 'jwk'
    })
    assert.ok(verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url')))
  })

  it('is refused when a bit of it is changed', async () => {
    const jws = await signReceipt(receipt, privateKey)
    const [header = '', payload = '', signature = ''] = jws.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, status: 500 })).toString('base64url')
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'hedgerow-receipt+jwt' })).toString('base64url')
    for (const bad of [
      `${header}.${forged}.${signature}`,
      `${none}.${payload}.`,
      `${header}.${payload}.${signature.replace(/^./, c => (c === 'A' ? 'B' : 'A'))}`,
      `${header}.${payload}`,
      'nothing',
      '',
      'x'.repeat(1_000_000)
    ])
      await assert.rejects(openReceipt(bad), invalid, bad.slice(0, 40))
  })

  it('is signed by nobody but the worker that it names', async () => {
    const other = await generateKeyPair('Ed25519')
    await assert.rejects(signReceipt(receipt, other), invalid)
    const publicJwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(other.publicKey.raw).toString('base64url') }
    const jwk = { ...publicJwk, d: Buffer.from(other.raw.subarray(0, 32)).toString('base64url') }
    const forged = await new SignJWT({})
      .setProtectedHeader({ alg: 'EdDSA', typ: 'hedgerow-receipt+jwt', jwk: publicJwk })
      .setIssuer(receipt.worker)
      .sign(await importJWK(jwk, 'EdDSA'))
    await assert.rejects(openReceipt(forged), invalid)
  })

  it('is no other statement that the worker signed, and lacks nothing', async () => {
    const jwk = {
      kty: 'OKP',
      crv: 'Ed25519',
      x: Buffer.from(privateKey.raw.subarray(32)).toString('base64url'),
      d: Buffer.from(privateKey.raw.subarray(0, 32)).toString('base64url')
    }
    const key = await importJWK(jwk, 'EdDSA')
    const jws = await signReceipt(receipt, privateKey)
    const claims = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
    const sign = (typ: string, payload: object): Promise<string> =>
      new SignJWT({ ...payload }).setProtectedHeader({ alg: 'EdDSA', typ }).sign(key)
    assert.deepEqual(await openReceipt(await sign('hedgerow-receipt+jwt', claims)), receipt)
    await assert.rejects(openReceipt(await sign('hedgerow-credential+jwt', claims)), invalid)
    for (const name of Object.keys(claims)) {
      if (name === 'iat' || name === 'data_class') continue
      await assert.rejects(openReceipt(await sign('hedgerow-receipt+jwt', { ...claims, [name]: undefined })), invalid)
      await assert.rejects(openReceipt(await sign('hedgerow-receipt+jwt', { ...claims, [name]: [] })), invalid)
    }
  })

  it('takes no key that is not Ed25519', async () => {
    await assert.rejects(signReceipt(receipt, await generateKeyPair('secp256k1')), invalid)
  })
})
