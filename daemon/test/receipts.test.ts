import assert from 'node:assert/strict'
import { Receipts } from '@hedgerow/daemon/receipts'
import type { Served } from '@hedgerow/daemon/serving'
import { openReceipt } from '@hedgerow/protocols/receipt'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'

const HOUR = 60 * 60_000

describe('receipts of a worker', () => {
  let now: number
  let receipts: Receipts
  let peerId: string

  const served = (requestId: string, extra: Partial<Served> = {}): Served => ({
    requestId,
    peer: 'sender',
    caller: 'peer/sender',
    service: 'lab',
    operation: 'POST /echo',
    method: 'POST',
    dataClass: undefined,
    depth: 0,
    request: { bytes: 0, complete: true, sha256: 'a'.repeat(64) },
    answer: { bytes: 0, complete: true, sha256: 'b'.repeat(64) },
    status: 200,
    outcome: 'answered',
    startedAt: 1000,
    duration: 12.4,
    ...extra
  })

  beforeEach(async () => {
    const privateKey = await generateKeyPair('Ed25519')
    peerId = peerIdFromPrivateKey(privateKey).toString()
    now = 0
    receipts = new Receipts({ mesh: 'hedgerow', privateKey, peerId, now: () => now, max: 100 })
  })

  it('are signed when asked for, for who sent the request', async () => {
    receipts.add(served('a'))
    assert.deepEqual(await receipts.of('a', { to: 'somebody else' }), [])
    const [jws = ''] = await receipts.of('a', { to: 'sender' })
    const { worker, requestId, startedAt, endedAt } = await openReceipt(jws)
    assert.deepEqual([worker, requestId, startedAt, endedAt], [peerId, 'a', 1000, 1012])
  })

  it('are for answers that were given to the end, and the request itself comes first', async () => {
    receipts.add(served('a', { outcome: 'Busy' }))
    receipts.add(served('a', { outcome: 'ClientGone' }))
    assert.equal(receipts.size, 0)
    receipts.add(served('a', { depth: 2 }))
    receipts.add(served('a', { depth: 0 }))
    const opened = await Promise.all((await receipts.of('a')).map(openReceipt))
    assert.deepEqual(
      opened.map(({ depth }) => depth),
      [0, 2]
    )
  })

  it('are forgotten after an hour', async () => {
    receipts.add(served('a'))
    now = HOUR - 1
    assert.equal((await receipts.of('a')).length, 1)
    now = HOUR
    assert.equal((await receipts.of('a')).length, 0)
    receipts.add(served('b'))
    assert.equal(receipts.size, 1)
  })

  it('are so many at most, whatever ids the requests have', async () => {
    for (let i = 0; i < 1000; i++) {
      receipts.add(served('same'))
      receipts.add(served(`other-${i}`))
      assert.ok(receipts.size <= 100)
    }
    assert.equal((await receipts.of('same')).length, 8)
    assert.equal((await receipts.of('other-0')).length, 0)
    assert.equal((await receipts.of('other-999')).length, 1)
  })
})
