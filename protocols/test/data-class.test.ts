import assert from 'node:assert/strict'
import { DATA_CLASSES, maySee, stricter } from '../src/data-class/index.ts'
import { answerOf, errorOf, FakeMesh } from './support/fake-mesh.ts'
import { contract } from './support/samples.ts'

describe('a class of data', () => {
  it('includes those below it, and one of the mesh itself nothing else', () => {
    for (const [i, high] of DATA_CLASSES.entries())
      for (const [j, low] of DATA_CLASSES.entries()) assert.equal(maySee([high], low), i >= j, `${high} sees ${low}`)
    assert.ok(maySee(['ours'], 'ours'))
    assert.ok(!maySee(['ours'], 'public') && !maySee(['confidential'], 'ours'))
    assert.ok(!maySee([], 'public'))
  })

  it('is never lowered by a nested call', () => {
    assert.equal(stricter('confidential', 'public'), 'confidential')
    assert.equal(stricter('public', 'confidential'), 'confidential')
    assert.equal(stricter('confidential', undefined), 'confidential')
    assert.equal(stricter(undefined, 'internal'), 'internal')
    assert.equal(stricter('ours', 'confidential'), 'ours')
    assert.equal(stricter('internal', 'ours'), 'ours')
  })

  it('leads a request to workers that may see it, and to nobody else', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b', 'c'] })
    mesh.allow('b', ['confidential'])
    for (let i = 0; i < 20; i++) {
      const { worker } = answerOf(await mesh.call({ dataClass: 'confidential' }))
      assert.equal(worker, 'b')
    }
    assert.equal(mesh.worker('b').received[0]?.headers['hedgerow-data-class'], 'confidential')
    assert.equal(mesh.worker('a').received.length + mesh.worker('c').received.length, 0)
  })

  it('fails closed: 403, whoever else is there, and however the one that may fails', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b', 'c'] })
    const none = errorOf(await mesh.call({ dataClass: 'confidential' }))
    assert.deepEqual([none.code, none.status, none.details.data_class], ['ClassNotAllowed', 403, 'confidential'])
    mesh.allow('b', ['confidential'])
    mesh.worker('b').state = 'dead'
    const dead = errorOf(await mesh.call({ dataClass: 'confidential' }))
    assert.notEqual(dead.code, 'ClassNotAllowed')
    assert.equal(mesh.worker('a').received.length + mesh.worker('c').received.length, 0)
    const pinned = errorOf(await mesh.call({ dataClass: 'confidential', worker: 'a' }))
    assert.deepEqual([pinned.code, pinned.details.data_class], ['ClassNotAllowed', 'confidential'])
  })

  it('may be asked for by the service, whatever the request says', async () => {
    const mesh = new FakeMesh({ workers: ['a'], contract: contract({ dataClass: 'confidential' }) })
    assert.equal(errorOf(await mesh.call({ dataClass: 'public' })).code, 'ClassNotAllowed')
    assert.equal(errorOf(await mesh.call()).code, 'ClassNotAllowed')
    mesh.allow('a', ['confidential'])
    assert.equal(answerOf(await mesh.call()).worker, 'a')
    assert.equal(errorOf(await mesh.call({ dataClass: 'ours' })).details.data_class, 'ours')
  })

  it('is explained, worker by worker', async () => {
    const mesh = new FakeMesh({ workers: ['a', 'b'] })
    mesh.allow('b', ['confidential'])
    const { requestId } = answerOf(await mesh.call({ dataClass: 'confidential' }))
    const { candidates } = mesh.dispatcher.explain(requestId) ?? assert.fail()
    assert.equal(candidates.find(({ peer_id }) => peer_id === 'a')?.rejected, 'may not see confidential data')
  })
})
