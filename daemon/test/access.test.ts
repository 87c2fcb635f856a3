import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AddressRange, addresses, countedAs, parseRange } from '../src/access/address.ts'
import { callerText } from '../src/access/caller.ts'
import { changeKeys, KEY_LOCK, keysFile, newKey, readKeys } from '../src/access/index.ts'
import { isSecretOf, parseKey } from '../src/access/key.ts'
import { Localities } from '../src/access/locality.ts'
import { Proofs } from '../src/access/proofs.ts'
import { vouching } from '../src/serving/index.ts'

describe('the address of a caller', () => {
  const from = (remoteAddress: string, headers: Record<string, string>): IncomingMessage =>
    ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage
  const ranges = (...texts: string[]): AddressRange[] =>
    texts.map(text => parseRange(text) ?? assert.fail(`${text} is no range`))

  it('is believed of trusted proxies alone, and of what they saw themselves', () => {
    const { of } = addresses(ranges('10.0.0.0/8', '127.0.0.1', 'fd00::/8'), false)
    const cases: Array<[string, Record<string, string>, string]> = [
      ['192.0.2.9', { 'x-forwarded-for': '1.1.1.1', 'cf-connecting-ip': '2.2.2.2' }, '192.0.2.9'],
      ['10.1.2.3', { 'x-forwarded-for': '6.6.6.6, 1.1.1.1' }, '1.1.1.1'],
      ['::ffff:10.1.2.3', { 'x-forwarded-for': '6.6.6.6, 1.1.1.1, 10.9.9.9' }, '1.1.1.1'],
      ['10.1.2.3', { 'x-forwarded-for': '10.0.0.1' }, '10.0.0.1'],
      ['10.1.2.3', { 'x-forwarded-for': 'junk, 10.0.0.7' }, '10.0.0.7'],
      ['10.1.2.3', { 'cf-connecting-ip': '2.2.2.2' }, '2.2.2.2'],
      ['10.1.2.3', { 'cf-connecting-ip': 'a; drop' }, '10.1.2.3'],
      ['10.1.2.3', {}, '10.1.2.3'],
      ['fd00::1', { 'x-forwarded-for': '2001:db8::1' }, '2001:db8::1']
    ]
    for (const [remote, headers, address] of cases) assert.equal(of(from(remote, headers)), address, remote)
  })

  it("is Cloudflare's word at the listener of a tunnel", () => {
    const { of } = addresses([], true)
    assert.equal(of(from('127.0.0.1', { 'cf-connecting-ip': '1.1.1.1', 'x-forwarded-for': '6.6.6.6' })), '1.1.1.1')
    assert.equal(of(from('127.0.0.1', { 'x-forwarded-for': '6.6.6.6' })), '127.0.0.1')
  })

  it('counts a network of IPv6 as one', () => {
    assert.equal(countedAs('1.2.3.4'), '1.2.3.4')
    assert.equal(countedAs('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
    assert.equal(countedAs('2001:0DB8:1:2::9'), '2001:db8:1:2::/64')
    assert.equal(countedAs('::1'), '0:0:0:0::/64')
    assert.equal(countedAs('fe80::1%eth0'), 'fe80:0:0:0::/64')
  })

  it('is a range only if it is one', () => {
    for (const text of ['', '1.2.3', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/8/8', 'fd00::/129', 'host', '1.2.3.4/-1'])
      assert.equal(parseRange(text), undefined, text)
  })
})

describe('a request to a listener on loopback', () => {
  const own = (host: string): boolean => host === 'relay.example'
  const worker = new Localities(['https://named.example'], own)
  const relay = new Localities(['*'], own)
  const cases: Array<[string, Record<string, string>, string, string]> = [
    ['a program', { host: '127.0.0.1:8000' }, 'local', 'local'],
    ['a program by another name', { host: 'LOCALHOST' }, 'local', 'local'],
    ['HTTP/1.0', {}, 'local', 'local'],
    ['a page of this machine', { host: '[::1]:1', origin: 'http://localhost:5173' }, 'local', 'local'],
    ['a page that is named', { host: 'localhost', origin: 'https://named.example' }, 'local', 'guest'],
    ['a page of any site', { host: 'localhost', origin: 'https://evil.example' }, 'foreign page', 'guest'],
    ['a sandboxed page', { host: 'localhost', origin: 'null' }, 'foreign page', 'guest'],
    ['a picture in a page', { host: 'localhost', 'sec-fetch-site': 'cross-site' }, 'foreign page', 'guest'],
    ['a name that was rebound', { host: 'evil.example' }, 'foreign name', 'foreign name'],
    ['a name that looks local', { host: '127.0.0.1.evil.example' }, 'foreign name', 'foreign name'],
    ['a name that hides another', { host: 'localhost@evil.example' }, 'foreign name', 'foreign name'],
    ['no name at all', { host: '' }, 'foreign name', 'foreign name'],
    ['a proxy', { host: 'localhost', 'x-forwarded-for': '1.1.1.1' }, 'guest', 'guest'],
    ['a tunnel', { host: 'localhost', 'cf-connecting-ip': '1.1.1.1' }, 'guest', 'guest'],
    ['a tunnel by its name', { host: 'relay.example', 'cf-ray': '1' }, 'stranger', 'stranger'],
    ['the public name', { host: 'Relay.Example' }, 'stranger', 'stranger'],
    ['a page of the public name', { host: 'relay.example', origin: 'http://localhost' }, 'stranger', 'stranger']
  ]
  for (const [what, headers, atWorker, atRelay] of cases)
    it(`by ${what} is of a ${atWorker} at a worker, of a ${atRelay} where any page may call`, () => {
      assert.equal(worker.of(headers), atWorker)
      assert.equal(relay.of(headers), atRelay)
    })
})

describe('the keys of a peer', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-keys-'))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it('are kept hashed, for their owner alone, and none is lost when many are made at once', async () => {
    const made = Array.from({ length: 8 }, () => newKey())
    await Promise.all(
      made.map(({ id, hash }) =>
        changeKeys(dir, keys => {
          keys.push({ id, name: 'x', hash, rights: ['call'], services: '*', created: new Date().toISOString() })
        })
      )
    )
    const kept = await readKeys(dir)
    assert.deepEqual(kept.map(({ id }) => id).sort(), made.map(({ id }) => id).sort())
    assert.equal((await stat(keysFile(dir))).mode & 0o777, 0o600)
    for (const { text, hash } of made) {
      const { secret = '' } = parseKey(text) ?? {}
      assert.ok(isSecretOf(secret, Buffer.from(hash, 'base64url')))
      assert.ok(!JSON.stringify(kept).includes(secret))
      assert.ok(
        !isSecretOf(`${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`, Buffer.from(hash, 'base64url'))
      )
    }
    await assert.rejects(stat(keysFile(dir) + KEY_LOCK))
  })

  it('are refused as a whole when the file is not what it should be', async () => {
    for (const content of ['', '{', '{}', '{"keys":[{}]}', '{"keys":[{"id":"x"}]}', '[]']) {
      await writeFile(keysFile(dir), content)
      await assert.rejects(readKeys(dir), /keys\.json/, content)
    }
  })
})

describe('proofs that were used', () => {
  it('are good once, each peer for itself, until they are too old', () => {
    let now = 0
    const proofs = new Proofs({ now: () => now })
    assert.equal(proofs.use('a', '1', 100), 'fresh')
    assert.equal(proofs.use('a', '1', 100), 'used')
    assert.equal(proofs.use('b', '1', 100), 'fresh')
    now = 101
    assert.equal(proofs.use('c', '1', 300), 'fresh')
    assert.equal(proofs.size, 1)
  })

  it('are never forgotten too early: one too many is refused, and nobody else with it', () => {
    const proofs = new Proofs({ now: () => 0, maxPerPeer: 3, max: 5 })
    for (let i = 0; i < 3; i++) assert.equal(proofs.use('greedy', String(i), 100), 'fresh')
    for (let i = 3; i < 100; i++) assert.equal(proofs.use('greedy', String(i), 100), 'too many')
    assert.equal(proofs.use('greedy', '0', 100), 'used')
    assert.equal(proofs.use('modest', '0', 100), 'fresh')
    assert.equal(proofs.use('another', '0', 100), 'fresh')
    assert.equal(proofs.use('late', '0', 100), 'too many')
    assert.equal(proofs.size, 5)
  })
})

describe('the name of a caller', () => {
  it('is safe in headers and logs, and bounded', () => {
    const name = (id: string): string => callerText({ kind: 'oidc', id, services: '*', rights: new Set() })
    assert.equal(name('https://id.example|ada@example.org'), 'oidc/https://id.example|ada@example.org')
    assert.equal(name('x|a\r\nhedgerow-depth: 0'), 'oidc/x|a%0D%0Ahedgerow-depth:%200')
    assert.equal(name('x|żółć \u{1f600}'), 'oidc/x|%C5%BC%C3%B3%C5%82%C4%87%20%F0%9F%98%80')
    assert.match(name('\ud800'), /^oidc\/[\x21-\x7e]+$/)
    assert.equal(name('x'.repeat(10_000)).length, 256)
  })

  it('is believed of those whose part it is to say', () => {
    const roles = new Map([
      ['worker', 'worker'],
      ['relay', 'relay'],
      ['client', 'client']
    ] as const)
    const vouches = vouching({ self: 'self', roleOf: peer => roles.get(peer as 'worker') })
    const cases: Array<[string, string, boolean]> = [
      ['self', 'service/rag', true],
      ['worker', 'service/rag', true],
      ['relay', 'service/rag', false],
      ['client', 'service/rag', false],
      ['nobody', 'service/rag', false],
      ['worker', 'key/1', true],
      ['relay', 'oidc/x|y', true],
      ['client', 'key/1', false],
      ['nobody', 'peer/x', false],
      ['relay', 'local', false],
      ['worker', 'key/a b', false],
      ['self', `key/${'x'.repeat(300)}`, false]
    ]
    for (const [peer, caller, believed] of cases) assert.equal(vouches(peer, caller), believed, `${peer} ${caller}`)
  })
})
