import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Static, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { MAX_DOCUMENT } from '../src/limits.ts'
import { RagProcess, until } from './process.ts'

const Problem = Type.Object({ status: Type.Integer(), code: Type.String(), detail: Type.String() })
const Written = Type.Object({ id: Type.String(), collection: Type.String(), replicas: Type.Integer() })
const Passages = Type.Object({
  passages: Type.Array(
    Type.Object({
      text: Type.String(),
      score: Type.Number({ minimum: 0, maximum: 1 }),
      document_id: Type.String(),
      metadata: Type.Record(Type.String(), Type.Unknown()),
      data_class: Type.Optional(Type.String())
    })
  )
})
const MANUAL = new URL('../../../examples/data/manual/', import.meta.url)

describe('rag-embeddings on its own', function () {
  this.timeout(30_000)
  const service = new RagProcess()

  before(async () => {
    await service.start()
    await until(
      async () => (await fetch(`${service.url}/health`)).status,
      status => status === 200
    )
  })
  after(() => service.remove())

  const json = (body: unknown, headers = {}): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  })

  async function call<T extends TSchema>(
    schema: T,
    path: string,
    init: RequestInit,
    status: number
  ): Promise<Static<T>> {
    const response = await fetch(`${service.url}${path}`, init)
    const body: unknown = await response.json()
    assert.equal(response.status, status, JSON.stringify(body))
    if (status >= 400) assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
    return Value.Parse(schema, body)
  }

  const textOf = async (path: string, init: RequestInit): Promise<string> =>
    (await fetch(`${service.url}${path}`, init)).text()

  async function problem(path: string, init: RequestInit, status: number): Promise<string> {
    return (await call(Problem, path, init, status)).code
  }

  async function find(query: string, collection: string, top_k = 5): Promise<Static<typeof Passages>['passages']> {
    return (await call(Passages, '/query', json({ query, top_k, collection }), 200)).passages
  }

  it('answers a question from an empty store with nothing', async () => {
    assert.deepEqual(await find('anything', 'default'), [])
  })

  it('takes a document as JSON, with its metadata and data class, and gives back the passage that answers', async () => {
    const body = {
      id: 'agents',
      text: 'Bailiffs may not force a lock.',
      metadata: { page: 3, tags: ['door'] },
      collection: 'json'
    }
    const written = await call(Written, '/documents', json(body, { 'hedgerow-data-class': 'internal' }), 201)
    assert.deepEqual(
      { ...written, version: undefined },
      { id: 'agents', collection: 'json', replicas: 1, version: undefined }
    )
    const [passage] = await find('can enforcement agents break in', 'json')
    assert.equal(passage?.text, body.text)
    assert.equal(passage?.document_id, 'agents')
    assert.deepEqual(passage?.metadata, body.metadata)
    assert.equal(passage?.data_class, 'internal')
  })

  it('shows what is confidential to requests that say so, of callers that may see it', async () => {
    const text = 'Mrs Obi owes the water company.'
    const confidential = { 'hedgerow-data-class': 'confidential' }
    await call(Written, '/documents', json({ id: 'obi', text, collection: 'papers' }, confidential), 201)
    await call(
      Written,
      '/documents',
      json({ id: 'rules', text: 'The water company may not cut her off.', collection: 'papers' }),
      201
    )
    const cases: Array<[headers: Record<string, string>, sees: boolean]> = [
      [{}, false],
      [{ 'hedgerow-data-class': 'internal' }, false],
      [{ ...confidential, 'hedgerow-caller-classes': 'public,internal' }, false],
      [{ ...confidential, 'hedgerow-caller-classes': '' }, false],
      [confidential, true],
      [{ ...confidential, 'hedgerow-caller-classes': 'confidential' }, true]
    ]
    for (const [headers, sees] of cases) {
      const { passages } = await call(
        Passages,
        '/query',
        json({ query: 'who owes the water company', collection: 'papers' }, headers),
        200
      )
      assert.equal(
        passages.some(({ document_id }) => document_id === 'obi'),
        sees,
        JSON.stringify(headers)
      )
      assert.ok(passages.some(({ document_id }) => document_id === 'rules'))
      for (const path of ['/documents', '/debug/documents', '/debug/sources'])
        assert.equal((await textOf(`${path}?collection=papers`, { headers })).includes('obi'), sees, path)
      const { status } = await fetch(`${service.url}/documents/obi?collection=papers`, { headers })
      assert.equal(status, sees ? 200 : 403)
      const copies = await textOf('/sync/fetch', json({ collection: 'papers', ids: ['obi', 'rules'] }, headers))
      assert.equal(copies.includes(text), sees)
      assert.ok(copies.includes('rules'))
    }
  })

  it('takes a Markdown file as it is and finds the section', async () => {
    const file = readFileSync(new URL('07-enforcement-agents.md', MANUAL))
    const headers = { 'content-type': 'text/markdown; charset=utf-8' }
    await call(Written, '/documents?collection=raw&id=ch7&source=manual', { method: 'POST', headers, body: file }, 201)
    const [passage] = await find('at what time of day may they come to the house', 'raw', 1)
    assert.match(passage?.text ?? '', /between 6 a\.m\. and 9 p\.m\./)
    assert.deepEqual(passage?.metadata, { source: 'manual' })
  })

  it('takes a question as plain text', async () => {
    const question = {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: 'at what time of day may they come to the house\n'
    }
    const { passages } = await call(Passages, '/query?collection=raw', question, 200)
    assert.match(passages[0]?.text ?? '', /between 6 a\.m\. and 9 p\.m\./)
  })

  it('takes a form with a file', async () => {
    const form = new FormData()
    form.set('collection', 'form')
    form.set('metadata', '{"author":"someone"}')
    form.set('file', new Blob(['A token payment is a pound a month.']), 'token.txt')
    await call(Written, '/documents', { method: 'POST', body: form }, 201)
    const [passage] = await find('tiny monthly sums', 'form')
    assert.deepEqual(passage?.metadata, { author: 'someone', filename: 'token.txt' })
  })

  it('gives the same document the same id, so that sending twice is sending once', async () => {
    const document = json({ text: 'Sent twice.', collection: 'twice' })
    const first = await call(Written, '/documents', document, 201)
    const second = await call(Written, '/documents', document, 201)
    assert.equal(second.id, first.id)
    assert.equal((await find('sent', 'twice')).length, 1)
  })

  it('lists documents page by page, shows one, and forgets one that is deleted', async () => {
    for (const id of ['a', 'b', 'c'])
      await call(Written, '/documents', json({ id, text: `Text ${id}.`, collection: 'list' }), 201)
    const Page = Type.Object({
      documents: Type.Array(Type.Object({ id: Type.String() })),
      next: Type.Optional(Type.String())
    })
    const first = await call(Page, '/documents?collection=list&limit=2', {}, 200)
    assert.deepEqual([first.documents.map(({ id }) => id), first.next], [['a', 'b'], 'b'])
    const second = await call(Page, '/documents?collection=list&limit=2&after=b', {}, 200)
    assert.deepEqual([second.documents.map(({ id }) => id), second.next], [['c'], undefined])

    assert.equal(
      (await call(Type.Object({ text: Type.String() }), '/documents/b?collection=list', {}, 200)).text,
      'Text b.'
    )
    await call(Type.Object({ deleted: Type.Literal(true) }), '/documents/b?collection=list', { method: 'DELETE' }, 200)
    assert.equal(await problem('/documents/b?collection=list', {}, 404), 'NoSuchDocument')
    // the same request repeated after its answer was lost
    await call(Type.Object({ deleted: Type.Literal(true) }), '/documents/b?collection=list', { method: 'DELETE' }, 200)
    assert.equal(await problem('/documents/never?collection=list', { method: 'DELETE' }, 404), 'NoSuchDocument')
    assert.ok(!(await find('text', 'list')).some(({ document_id }) => document_id === 'b'))
  })

  it('shows where documents came from', async () => {
    const Sources = Type.Object({
      sources: Type.Array(Type.Object({ source: Type.String(), documents: Type.Integer() }))
    })
    const { sources } = await call(Sources, '/debug/sources?collection=raw', {}, 200)
    assert.deepEqual(sources, [{ source: 'manual', documents: 1, passages: 6 }])
    const Documents = Type.Object({ count: Type.Integer() })
    assert.equal((await call(Documents, '/debug/documents?collection=raw', {}, 200)).count, 1)
  })

  it('embeds one text or several as unit vectors', async () => {
    const one = await call(
      Type.Object({ embedding: Type.Array(Type.Number()) }),
      '/embed',
      json({ text: 'rent arrears' }),
      200
    )
    assert.equal(one.embedding.length, 384)
    assert.ok(Math.abs(Math.hypot(...one.embedding) - 1) < 1e-5)
    const several = Type.Object({ embeddings: Type.Array(Type.Array(Type.Number())) })
    const { embeddings } = await call(several, '/embed', json({ texts: ['rent arrears', ''] }), 200)
    assert.deepEqual(embeddings[0], one.embedding)
    assert.deepEqual([...new Set(embeddings[1])], [0])
  })

  it('advertises the collections that it holds', async () => {
    const { resources } = await call(Type.Object({ resources: Type.Array(Type.String()) }), '/resources', {}, 200)
    assert.ok(resources.includes('collection/json') && resources.includes('collection/raw'))
  })

  it('takes a document of several megabytes, and answers others at once until it is found by its meaning too', async () => {
    const text = 'The council may ask the court for a liability order when nothing has been paid. '
      .repeat(50_000)
      .slice(0, MAX_DOCUMENT - 1)
    const Pending = Type.Object({ pending: Type.Integer({ minimum: 1 }) })
    const writing = call(Pending, '/documents', json({ id: 'large', text, collection: 'large' }), 201)
    let done = false
    const finished = writing.finally(() => {
      done = true
    })
    const slowest = { health: 0, question: 0, letter: 0 }
    const timed = async (what: keyof typeof slowest, work: () => Promise<unknown>): Promise<void> => {
      const began = performance.now()
      await work()
      slowest[what] = Math.max(slowest[what], performance.now() - began)
    }
    while (!done) {
      await timed('health', () => fetch(`${service.url}/health`))
      await timed('question', () => find('can enforcement agents break in', 'json'))
      await timed('letter', () =>
        call(Written, '/documents', json({ id: 'letter', text: `Letter ${Math.random()}`, collection: 'letters' }), 201)
      )
    }
    const { pending } = await finished
    process.stderr.write(`      slowest meanwhile, ms: ${JSON.stringify(slowest)}\n`)
    // several times what a quiet machine needs
    assert.ok(slowest.health < 2000 && slowest.question < 3000 && slowest.letter < 4000)
    assert.ok((await find('liability order', 'large')).length > 0)
    const Stats = Type.Object({
      collections: Type.Array(Type.Object({ name: Type.String(), pending: Type.Integer() }))
    })
    const stillPending = async (): Promise<number> =>
      (await call(Stats, '/stats', {}, 200)).collections.find(({ name }) => name === 'large')?.pending ?? 0
    await until(stillPending, left => left < pending)
  })

  describe('on bad input', () => {
    const cases: [string, string, RequestInit, number, string][] = [
      ['JSON that is none', '/documents', json('{"text":'), 400, 'MalformedBody'],
      ['an empty body', '/query', json(''), 400, 'EmptyBody'],
      ['a text that is no string', '/documents', json({ text: 5 }), 422, 'InvalidInput'],
      ['no text', '/documents', json({ id: 'x' }), 422, 'InvalidInput'],
      ['a text of spaces', '/documents', json({ text: ' \n ' }), 422, 'EmptyDocument'],
      ['an id that is no path segment', '/documents', json({ id: 'a/b', text: 'x' }), 422, 'InvalidInput'],
      ['a collection with a strange name', '/query', json({ query: 'x', collection: '../x' }), 422, 'InvalidInput'],
      ['two collections', '/query?collection=a', json({ query: 'x', collection: 'b' }), 422, 'TwoCollections'],
      ['top_k as text', '/query', json({ query: 'x', top_k: '3' }), 422, 'InvalidInput'],
      ['top_k beyond the limit', '/query', json({ query: 'x', top_k: 1000 }), 422, 'InvalidInput'],
      ['a question of nothing', '/query', json({ query: '' }), 422, 'InvalidInput'],
      ['a question that is too long', '/query', json({ query: 'x'.repeat(5000) }), 422, 'InvalidInput'],
      [
        'too much metadata',
        '/documents',
        json({ text: 'x', metadata: { a: 'x'.repeat(20_000) } }),
        422,
        'MetadataTooLarge'
      ],
      [
        'a wrong data class',
        '/documents',
        json({ text: 'x' }, { 'hedgerow-data-class': 'Top Secret' }),
        400,
        'BadDataClass'
      ],
      ['texts to embed that are none', '/embed', json({ texts: [] }), 422, 'InvalidInput'],
      ['a body that is too large', '/query', json({ query: 'x'.repeat(2_000_000) }), 413, 'BodyTooLarge'],
      ['a document that is too large', '/documents', json({ text: 'x'.repeat(MAX_DOCUMENT + 1) }), 422, 'InvalidInput'],
      [
        'a picture',
        '/documents',
        { method: 'POST', headers: { 'content-type': 'image/png' }, body: 'x' },
        415,
        'UnsupportedMediaType'
      ],
      [
        'bytes that are no text',
        '/documents',
        { method: 'POST', headers: { 'content-type': 'text/plain' }, body: new Uint8Array([255, 254, 0]) },
        400,
        'NotText'
      ],
      [
        'a PDF where there is no mesh to read it',
        '/documents',
        { method: 'POST', headers: { 'content-type': 'application/pdf' }, body: '%PDF-1.7' },
        503,
        'NoMesh'
      ],
      [
        'a form that breaks off',
        '/documents',
        { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x\r\nContent-Disp' },
        400,
        'MalformedBody'
      ],
      ['a page of nothing', '/documents?limit=0', {}, 400, 'InvalidInput'],
      ['an unknown path', '/nowhere', {}, 404, 'NoSuchOperation']
    ]
    for (const [what, path, init, status, code] of cases) {
      it(`answers ${status} to ${what}`, async () => {
        assert.equal(await problem(path, init, status), code)
      })
    }

    it('answers 413 to an upload that is much too large', async () => {
      const headers = { 'content-type': 'application/json' }
      const body = Buffer.alloc(30 * 1024 * 1024, ' ')
      assert.equal(await problem('/documents', { method: 'POST', headers, body }, 413), 'BodyTooLarge')
    })

    it('answers 413 to a file in a form that is too large, and 422 to two files', async () => {
      const large = new FormData()
      large.set('file', new Blob(['x'.repeat(MAX_DOCUMENT + 1)]), 'large.txt')
      assert.equal(await problem('/documents', { method: 'POST', body: large }, 413), 'BodyTooLarge')
      const two = new FormData()
      two.append('file', new Blob(['one']), 'one.txt')
      two.append('file', new Blob(['two']), 'two.txt')
      assert.equal(await problem('/documents', { method: 'POST', body: two }, 422), 'OneFileAtATime')
    })

    it('finds a passage with anything at all as a question', async () => {
      for (const query of [
        '"',
        "'; drop table documents; --",
        'NEAR(a b)',
        '*',
        '\u0000',
        '😀',
        'AND OR NOT',
        'idea0x1',
        '^a:b'
      ]) {
        await find(query, 'json')
      }
      assert.equal((await find('bailiffs', 'json')).length, 1)
    })
  })
})

describe('rag-embeddings killed in the middle of writing', function () {
  this.timeout(60_000)
  const service = new RagProcess()
  after(() => service.remove())

  it('has every write that it acknowledged', async () => {
    await service.start()
    const acknowledged: string[] = []
    let killed = false
    const writer = async (name: string): Promise<void> => {
      for (let n = 0; !killed; n++) {
        const id = `${name}-${n}`
        const response = await fetch(`${service.url}/documents`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ id, text: `Document ${id} about rent.` })
        }).catch(() => undefined)
        if (response?.status === 201) acknowledged.push(id)
      }
    }
    const writers = ['a', 'b', 'c', 'd'].map(writer)
    await until(
      () => acknowledged.length,
      count => count >= 40
    )
    killed = true
    await service.kill()
    await Promise.all(writers)

    await service.start()
    for (const id of acknowledged) {
      assert.equal((await fetch(`${service.url}/documents/${id}`)).status, 200, id)
    }
  })
})

describe('rag-embeddings that cannot start', function () {
  this.timeout(30_000)

  it('says which setting is wrong', async () => {
    const service = new RagProcess({ RAG_REPLICAS: 'two' })
    try {
      await assert.rejects(service.start(), /RAG_REPLICAS is "two"/)
    } finally {
      await service.remove()
    }
  })
})
