import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DATABASE_FILE, Database } from '../src/store/database.ts'
import type { StoredDocument } from '../src/store/document.ts'
import { nearest } from '../src/store/search.ts'
import { Store } from '../src/store/store.ts'
import { rounded } from '../src/store/vectors.ts'
import { Clock } from '../src/store/version.ts'
import { TestStore } from './parts.ts'

const all = (): boolean => true

describe('the store', () => {
  let test: TestStore
  beforeEach(async () => {
    test = await TestStore.open()
    test.store.ensureCollection('manual', { complete: true })
  })
  afterEach(() => test.close())

  const write = (id: string, text: string, metadata = {}): Promise<unknown> =>
    test.documents.write('manual', { id, text, metadata })
  const found = async (question: string): Promise<string[]> =>
    (await test.documents.query('manual', question, 5, all)).map(({ document_id }) => document_id)

  it('finds passages by meaning and by words that no vector knows', async () => {
    await write('a', 'Enforcement agents may not force a lock.')
    await write('b', 'Form CR0123 is sent to the registry.')
    assert.equal((await found('can bailiffs break in'))[0], 'a')
    assert.equal((await found('cr0123'))[0], 'b')
    assert.deepEqual(await found('!?'), [])
  })

  it('replaces what a document was found by when it changes, and forgets it when it is deleted', async () => {
    await write('a', 'Water cannot be cut off.')
    await write('a', 'Gas needs a meter.')
    const [hit] = await test.documents.query('manual', 'gas meter', 5, all)
    assert.equal(hit?.text, 'Gas needs a meter.')
    assert.deepEqual(test.store.counts('manual'), { documents: 1, passages: 1, tombstones: 0, pending: 0 })
    test.documents.remove('manual', 'a')
    assert.deepEqual(await found('gas meter'), [])
    assert.deepEqual(test.store.counts('manual'), { documents: 0, passages: 0, tombstones: 1, pending: 0 })
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
    assert.deepEqual(await found('cheque'), ['a'])
    test.store.dropCollection('manual')
    assert.equal(test.store.collection('manual'), undefined)
    assert.equal((await test.documents.query('other', 'cheque', 5, all)).length, 1)
    test.store.ensureCollection('manual', { complete: true })
    assert.deepEqual(await found('cheque'), [])
  })

  it('is the same after it was closed and opened again', async () => {
    await write('a', 'Water cannot be cut off.', { source: 'manual' })
    test.documents.remove('manual', 'none')
    test.copies.setEqual('manual', { peer: 'peerB', incarnation: 'x', equalAt: 5 })
    const digest = test.store.digest('manual')
    test.reopen()
    assert.equal(test.store.digest('manual'), digest)
    assert.deepEqual(await found('disconnected water supply'), ['a'])
    assert.equal(test.copies.equalAt('manual', 'peerB', 'x'), 5)
    assert.equal(test.copies.equalAt('manual', 'peerB', 'another copy'), undefined)
  })

  it('takes vectors from another instance as they come, and computes those that are missing later', async () => {
    await write('a', 'Water cannot be cut off.')
    const sent = test.store.getToSend('manual', 'a')
    assert.ok(sent?.vectors != null)
    const copy = (id: string): StoredDocument => ({ ...sent, id })
    await test.documents.take('manual', copy('b'))
    await test.documents.take('manual', { ...copy('c'), vectors: { ...sent.vectors, recipe: 'of another version' } })
    await test.documents.take('manual', { ...copy('d'), vectors: { ...sent.vectors, bytes: 'AAAA' } })
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map(id => test.store.pendingOf('manual', id)),
      [0, 0, 1, 1]
    )
    // by its terms
    assert.ok((await found('water cut')).includes('c'))
    assert.equal(await test.upkeep.step(), true)
    assert.equal(await test.upkeep.step(), false)
    assert.equal(test.store.counts('manual').pending, 0)
    for (const id of ['b', 'c', 'd']) assert.deepEqual(test.store.getToSend('manual', id)?.vectors, sent.vectors)
  })

  it('gives no vector to a passage that another has replaced meanwhile', async () => {
    await write('a', 'Water cannot be cut off.')
    const { vectors: _, ...sent } = test.store.getToSend('manual', 'a') ?? assert.fail()
    await test.documents.take('manual', { ...sent, id: 'b' })
    const pending = test.store.pending(10)
    const [vector] = await test.indexer.embedTitled(pending, 'background')
    test.documents.remove('manual', 'b')
    await test.documents.take('manual', { ...sent, id: 'c', text: 'Gas needs a meter.' })
    test.store.fill(pending, [vector ?? assert.fail()])
    assert.equal(test.store.pendingOf('manual', 'c'), 1)
  })

  it('indexes documents anew when the recipe has changed, and serves with what it has until then', async () => {
    await write('a', 'A heron waits by the pond.')
    assert.equal(await test.upkeep.step(), false)
    test.db.exec("update documents set recipe = 'an older one'")
    assert.deepEqual(await found('birds at a lake'), ['a'])
    assert.equal(await test.upkeep.step(), true)
    assert.equal(await test.upkeep.step(), false)
    assert.deepEqual(await found('birds at a lake'), ['a'])
    assert.deepEqual(test.store.counts('manual'), { documents: 1, passages: 1, tombstones: 0, pending: 0 })
  })

  it('opens a file of the version with word vectors, finds by terms at once and by meaning when it is indexed', async () => {
    await write('a', 'A heron waits by the pond.', { title: 'Notes' })
    const digest = test.store.digest('manual')
    test.db.release('vectors_1')
    test.db.exec(`
      drop table vectors_1; drop index passages_pending;
      create virtual table vectors_1 using vec0 (vector float[100] distance_metric = cosine);
      insert into vectors_1 (rowid, vector) values (1, zeroblob(400));
      alter table passages drop column embedded; alter table documents drop column recipe;
      delete from meta where key = 'vectors'; insert into meta values ('recipe', '1 glove-100d-sif-00000000')`)
    test.reopen()
    assert.equal(test.store.digest('manual'), digest)
    assert.deepEqual(await found('herons'), ['a'])
    assert.deepEqual(await found('birds at a lake'), [])
    assert.equal(await test.upkeep.step(), true)
    assert.equal(await test.upkeep.step(), false)
    assert.deepEqual(await found('birds at a lake'), ['a'])
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
    assert.deepEqual(new Store(test.db, test.encoder).collections(), [])
  })

  it('refuses with 507 what would make it larger than it may be', async () => {
    const small = await TestStore.open({ maxBytes: 400_000 })
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
  let vectors: Int8Array[]

  before(async () => {
    test = await TestStore.open()
    // no generator of the language has a seed; figures shouldn't change from run to run
    let state = 1
    const random = (): number => {
      state = (state * 48271) % 2147483647
      return state / 2147483647 - 0.5
    }
    const { dimensions } = test.encoder
    vectors = Array.from({ length: COUNT + 10 }, () => rounded(Float32Array.from({ length: dimensions }, random)))
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
    test.store.put('many', document, { recipe: '', passages })
    const inserting = performance.now() - began

    const times: number[] = []
    const lengths = vectors.map(vector => Math.hypot(...vector))
    for (const query of vectors.slice(COUNT).map(vector => Float32Array.from(vector))) {
      const start = performance.now()
      const found = nearest(test.db, collection, { vector: query, limit: 10 })
      times.push(performance.now() - start)
      const near = vectors
        .slice(0, COUNT)
        .map((vector, i) => vector.reduce((sum, x, k) => sum + x * (query[k] ?? 0), 0) / (lengths[i] ?? 1))
      const exact = [...near.keys()].sort((a, b) => (near[b] ?? 0) - (near[a] ?? 0)).slice(0, 10)
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
