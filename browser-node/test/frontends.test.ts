import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { EntryPoints, ServiceRequestError, serviceClient } from '../src/frontends/index.ts'

async function listening(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address == null || typeof address === 'string') throw new Error('not listening')
  return { server, url: `http://127.0.0.1:${address.port}` }
}

function json(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

describe('a service client over plain HTTP', () => {
  let server: Server
  let url: string
  let answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>
  let asked: string[]

  before(async () => {
    ;({ server, url } = await listening((request, response) => {
      if (request.url === '/entry-points') {
        json(response, { entry_points: [{ worker_id: 'relay', access_url: url, services: ['notes-coa'] }] })
        return
      }
      asked.push(`${request.method} ${request.url}`)
      void answer(request, response)
    }))
  })
  after(() => server.close())
  beforeEach(() => {
    asked = []
    answer = async (request, response) => json(response, { got: JSON.parse(await text(request)) })
  })

  const client = (): ReturnType<typeof serviceClient> => serviceClient({ entryPoints: [`${url}/entry-points`] })

  it('sends JSON and reads JSON', async () => {
    assert.deepEqual(await client().convertNotes({ notes: 'x' }), { got: { notes: 'x' } })
    assert.deepEqual(asked, ['POST /service/notes-coa'])
  })

  it('has a function for every service', async () => {
    const { addDocument, queryDocuments, extractEntities, generateText } = client()
    await addDocument({ text: 'x' })
    await queryDocuments({ query: 'x' })
    await extractEntities({ text: 'x' })
    await generateText({ prompt: 'x' })
    assert.deepEqual(asked, [
      'POST /service/rag-embeddings/documents',
      'POST /service/rag-embeddings',
      'POST /service/ner-extraction',
      'POST /service/llm-inference'
    ])
  })

  it('sends files as they are, and gives back what is no JSON as a Blob', async () => {
    answer = async (request, response) => {
      const type = request.headers['content-type']
      response.writeHead(200, { 'content-type': 'text/x' }).end(`${type} ${await text(request)}`)
    }
    const blob = await client().processDocument(new Blob(['%PDF'], { type: 'application/pdf' }))
    assert.ok(blob instanceof Blob)
    assert.equal(await blob.text(), 'application/pdf %PDF')
  })

  it('tries again what passes, with a pause, and what it asks for is waited for', async () => {
    let failures = 2
    answer = (_request, response) =>
      failures-- > 0 ? json(response, { code: 'Busy' }, 429, { 'retry-after': '1' }) : json(response, { done: true })
    const startedAt = performance.now()
    assert.deepEqual(await client().sendServiceRequest('ner', {}, { retries: 3 }), { done: true })
    assert.equal(asked.length, 3)
    assert.ok(performance.now() - startedAt >= 2000)
  }).timeout(20_000)

  it('tries nothing again that was refused for good, or may have been done', async () => {
    for (const [status, problem] of [
      [422, { code: 'InvalidInput', detail: 'text is missing' }],
      [502, { code: 'WorkerLost', retry_safe: false, detail: 'it may have been done' }]
    ] as const) {
      asked = []
      answer = (_request, response) => json(response, problem, status)
      await assert.rejects(client().sendServiceRequest('ner', {}), err => {
        assert.ok(err instanceof ServiceRequestError)
        assert.deepEqual([err.status, err.problem.code, err.message], [status, problem.code, problem.detail])
        return true
      })
      assert.equal(asked.length, 1)
    }
  })

  it('sends bytes as bytes', async () => {
    answer = async (request, response) => json(response, { got: await text(request) })
    const bytes = new TextEncoder().encode('[bytes]')
    for (const data of [bytes, bytes.buffer, new DataView(bytes.buffer)])
      assert.deepEqual(await client().sendServiceRequest('ner', data), { got: '[bytes]' })
    const part = await client().sendServiceRequest('ner', bytes.subarray(1, 6))
    assert.deepEqual(part, { got: 'bytes' })
  })

  it('does not repeat what broke off in the middle of its answer, and says so', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{')
      setImmediate(() => response.destroy())
    }
    await assert.rejects(client().sendServiceRequest('ner', {}), { name: 'ServiceRequestError', status: 200 })
    assert.equal(asked.length, 1)
  })

  it('gives up in time when no list of entry points answers', async () => {
    const silent = await listening(() => {})
    try {
      const { sendServiceRequest } = serviceClient({ entryPoints: [`${silent.url}/entry-points`] })
      await assert.rejects(sendServiceRequest('ner', {}, { timeout: 200 }), /did not answer within 0.2 s/)
    } finally {
      silent.server.closeAllConnections()
      silent.server.close()
    }
  })

  it('gives up in time, and at once when it is told to', async () => {
    answer = () => {}
    await assert.rejects(client().sendServiceRequest('ner', {}, { timeout: 200 }), /did not answer within 0.2 s/)
    const left = new AbortController()
    const sent = client().sendServiceRequest('ner', {}, { signal: left.signal })
    left.abort(new Error('enough'))
    await assert.rejects(sent, /enough/)
  })
})

describe('a list of entry points', () => {
  const rows = (...urls: string[]): object => ({ entry_points: urls.map(access_url => ({ access_url, services: [] })) })
  const answering = (answers: Record<string, () => object>): { fetch: typeof fetch; asked: string[] } => {
    const asked: string[] = []
    return {
      asked,
      fetch: async input => {
        const url = String(input)
        asked.push(url)
        const answer = answers[url]
        if (answer == null) throw new TypeError('fetch failed')
        return Response.json(answer())
      }
    }
  }

  it('is asked of all addresses at once, and any answer will do', async () => {
    const { fetch, asked } = answering({ 'https://b/entry-points': () => rows('https://relay.example') })
    const points = new EntryPoints({ urls: ['https://a/entry-points', 'https://b/entry-points'], fetch })
    assert.deepEqual(await points.for('ner-extraction'), ['https://relay.example'])
    assert.equal(asked.length, 2)
  })

  it('is good for a minute, and used on when nobody answers later', async () => {
    let time = 0
    const answers: Record<string, () => object> = { 'https://a/': () => rows('https://one') }
    const { fetch, asked } = answering(answers)
    const points = new EntryPoints({ urls: ['https://a/'], fetch, now: () => time })
    await points.for('x')
    time = 59_000
    await points.for('x')
    assert.equal(asked.length, 1)
    time = 61_000
    delete answers['https://a/']
    assert.deepEqual(await points.for('x'), ['https://one'])
    assert.equal(asked.length, 2)
    assert.deepEqual(await points.for('x'), ['https://one'])
    assert.equal(asked.length, 2, 'nobody waits each time for who does not answer')
    answers['https://a/'] = () => rows('https://two')
    time = 67_000
    assert.deepEqual(await points.for('x'), ['https://two'])
  })

  it('is an error when there never was one, which says what was tried', async () => {
    const { fetch } = answering({ 'https://empty/': () => ({ entry_points: [] }) })
    const points = new EntryPoints({ urls: ['https://gone/', 'https://empty/'], fetch })
    await assert.rejects(points.for('x'), /no list of entry points answers: .*https:\/\/empty\/ knows no entry point/)
  })

  it('has those that offer the service first, and those that failed last', async () => {
    const answers = {
      'https://a/': () => ({
        entry_points: [
          { access_url: 'https://one', services: [] },
          { access_url: 'https://two', services: ['ner-extraction'] },
          { access_url: 'javascript:alert(1)', services: ['ner-extraction'] },
          'rubbish'
        ]
      })
    }
    const points = new EntryPoints({ urls: ['https://a/'], fetch: answering(answers).fetch })
    assert.deepEqual(await points.for('ner-extraction'), ['https://two', 'https://one'])
    assert.deepEqual(await points.for('other'), ['https://one', 'https://two'])
    points.failed('https://one')
    assert.deepEqual(await points.for('other'), ['https://two', 'https://one'])
  })
})
