import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DATABASE_FILE, Database } from '../src/store/database.ts'
import { nearest } from '../src/store/search.ts'
import { Store } from '../src/store/store.ts'
import { Clock } from '../src/store/version.ts'
import { TestStore } from './parts.ts'

describe('the store', () => {
  let test: TestStore
  beforeEach(() => {
    test = new TestStore()
    test.store.ensureCollection('manual', { complete: true })
  })
  afterEach(() => test.close())

  const write = (id: string, text: string, metadata = {}): Promise<unknown> =>
    test.documents.write('manual', { id, text, metadata })
  const found = (question: string): string[] =>
    test.documents.query('manual', question, 5).map(({ document_id }) => document_id)

  it('finds passages by meaning and by words that no vector knows', async () => {
    await write('a', 'Enforcement agents may not force a lock.')
    await write('b', 'Form CR0123 is sent to the registry.')
    assert.equal(found('can bailiffs break in')[0], 'a')
    assert.equal(found('cr0123')[0], 'b')
    assert.deepEqual(found('!?'), [])
  })

  it('replaces what a document was found by when it changes, and forgets it when it is deleted', async () => {
    await write('a', 'Water cannot be cut off.')
    await write('a', 'Gas needs a meter.')
    const [hit] = test.documents.query('manual', 'gas meter', 5)
    assert.equal(hit?.text, 'Gas needs a meter.')
    assert.deepEqual(test.store.counts('manual'), { documents: 1, passages: 1, tombstones: 0 })
    test.documents.remove('manual', 'a')
    assert.deepEqual(found('gas meter'), [])
    assert.deepEqual(test.store.counts('manual'), { documents: 0, passages: 0, tombstones: 1 })
  })

  it('makes no new version of a document that is written again as it is', async () => {
    await write('a', 'The same.', { n: 1 })
    const first = test.store.get('manual', 'a')?.version
    await write('a', 'The same.', { n: 1 })
    assert.equal(test.store.get('manual', 'a')?.version, first)
    await write('a', 'The same.', { n: 2 })
    assert.notEqual(test.store.get('manual', 'a')?.version, first)
  })

  it('refuses an older version, also of a deleted document', async () => {
    const before = new Clock('peerB', () => 1000).next()
    await write('a', 'New.')
    const stale = {
      id: 'a',
      version: before,
      deleted: false,
      text: 'Old.',
      metadata: {},
      created_at: 1,
      updated_at: 1
    }
    assert.equal(await test.documents.take('manual', stale), false)
    test.documents.remove('manual', 'a')
    assert.equal(await test.documents.take('manual', stale), false)
    assert.equal(test.store.get('manual', 'a')?.deleted, true)
  })

  it('has the same digest for the same versions and another for others', async () => {
    const empty = test.store.digest('manual')
    await write('a', 'One.')
    const one = test.store.digest('manual')
    assert.notEqual(one, empty)
    test.documents.remove('manual', 'a')
    assert.notEqual(test.store.digest('manual'), one)
    test.store.forgetTombstones(Date.now() + 1000)
    assert.equal(test.store.digest('manual'), empty)
  })

  it('keeps collections apart and drops one with all that belongs to it', async () => {
    test.store.ensureCollection('other', { complete: true })
    await test.documents.write('other', { id: 'b', text: 'A cheque for the builder.', metadata: {} })
    await write('a', 'A cheque for the plumber.')
    assert.deepEqual(found('cheque'), ['a'])
    test.store.dropCollection('manual')
    assert.equal(test.store.collection('manual'), undefined)
    assert.deepEqual(test.documents.query('other', 'cheque', 5).length, 1)
    test.store.ensureCollection('manual', { complete: true })
    assert.deepEqual(found('cheque'), [])
  })

  it('is the same after it was closed and opened again', async () => {
    await write('a', 'Water cannot be cut off.', { source: 'manual' })
    test.documents.remove('manual', 'none')
    test.copies.setEqual('manual', { peer: 'peerB', incarnation: 'x', equalAt: 5 })
    const digest = test.store.digest('manual')
    test.reopen()
    assert.equal(test.store.digest('manual'), digest)
    assert.deepEqual(found('disconnected water supply'), ['a'])
    assert.equal(test.copies.equalAt('manual', 'peerB', 'x'), 5)
    assert.equal(test.copies.equalAt('manual', 'peerB', 'another copy'), undefined)
  })

  it('indexes documents anew when the recipe has changed', async () => {
    await write('a', 'Water cannot be cut off.')
    assert.equal(await test.documents.keepIndexCurrent(), 1)
    assert.equal(await test.documents.keepIndexCurrent(), 0)
    test.store.setMeta('recipe', 'an older one')
    assert.equal(await test.documents.keepIndexCurrent(), 1)
    assert.deepEqual(found('disconnected water supply'), ['a'])
    assert.equal(test.store.counts('manual').passages, 1)
  })

  it('lets nobody else read its files', async () => {
    await write('a', 'Confidential.')
    assert.equal(statSync(test.directory).mode & 0o777, 0o700)
    const files = readdirSync(test.directory)
    assert.ok(files.includes(`${DATABASE_FILE}-wal`))
    for (const file of files) assert.equal(statSync(join(test.directory, file)).mode & 0o777, 0o600, file)
  })

  it('puts a damaged file aside and begins a new one', async () => {
    await write('a', 'Water.')
    test.db.close()
    writeFileSync(join(test.directory, DATABASE_FILE), 'this is no database, and long enough to look at'.repeat(100))
    let aside: string | undefined
    test.db = new Database(test.directory, 1e9, movedTo => {
      aside = movedTo
    })
    assert.ok(aside != null && statSync(aside).size > 0)
    assert.deepEqual(new Store(test.db, 100).collections(), [])
  })

  it('refuses with 507 what would make it larger than it may be', async () => {
    const small = new TestStore({ maxBytes: 400_000 })
    try {
      small.store.ensureCollection('manual', { complete: true })
      await assert.rejects(
        small.documents.write('manual', { id: 'big', text: 'word '.repeat(100_000), metadata: {} }),
        { status: 507, code: 'StorageFull' }
      )
      assert.equal(small.store.counts('manual').documents, 0)
    } finally {
      small.close()
    }
  })

  it('refuses a version of a far future, after which nobody could write', async () => {
    const version = new Clock('peerB', () => Date.UTC(2300, 0)).next()
    const document = { id: 'a', version, deleted: false, text: 'x', metadata: {}, created_at: 1, updated_at: 1 }
    await assert.rejects(test.documents.take('manual', document), { status: 422, code: 'VersionFromTheFuture' })
  })
})

describe('the store with 10,000 passages', function () {
  this.timeout(60_000)
  const COUNT = 10_000
  let test: TestStore
  let vectors: Float32Array[]

  before(() => {
    test = new TestStore()
    // no generator of the language has a seed; figures shouldn't change from run to run
    let state = 1
    const random = (): number => {
      state = (state * 48271) % 2147483647
      return state / 2147483647 - 0.5
    }
    vectors = Array.from({ length: COUNT + 10 }, () => {
      const vector = Float32Array.from({ length: 100 }, random)
      const length = Math.hypot(...vector)
      return vector.map(x => x / length)
    })
  })
  after(() => test.close())

  it('takes them in one go and finds the nearest exactly, each within milliseconds', () => {
    const collection = test.store.ensureCollection('many', { complete: true })
    const document = {
      id: 'all',
      version: new Clock('peerA').next(),
      deleted: false,
      text: 'x',
      metadata: {},
      created_at: 1,
      updated_at: 1
    }
    const passages = vectors
      .slice(0, COUNT)
      .map((vector, i) => ({ heading: '', text: `passage ${i}`, terms: `n${i}`, vector }))
    const began = performance.now()
    test.store.put('many', document, passages)
    const inserting = performance.now() - began

    const times: number[] = []
    for (const query of vectors.slice(COUNT)) {
      const start = performance.now()
      const found = nearest(test.db, collection, { terms: [], vector: query, limit: 10 })
      times.push(performance.now() - start)
      const distance = (i: number): number => vectors[i]?.reduce((sum, x, k) => sum + x * (query[k] ?? 0), 0) ?? 0
      const exact = [...Array(COUNT).keys()].sort((a, b) => distance(b) - distance(a)).slice(0, 10)
      // rows are numbered from 1
      const best = [...found]
        .sort((a, b) => b[1] - a[1])
        .slice(0, 10)
        .map(([row]) => row - 1)
      assert.deepEqual(best, exact)
    }
    const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
    process.stderr.write(`      10,000 passages: put ${inserting.toFixed(0)} ms, nearest ${median.toFixed(1)} ms\n`)
    // several times what a quiet machine needs: these catch a scan that went wrong, not a busy neighbour
    assert.ok(inserting < 3000, `${inserting} ms`)
    assert.ok(median < 50, `${median} ms`)
  })
})
