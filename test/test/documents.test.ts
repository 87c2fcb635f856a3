import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

interface Service {
  name: string
  found: number
}
interface Passages {
  passages: Array<{ document_id: string; text: string }>
}

describe('documents in a mesh', function () {
  this.timeout(180_000)
  let mesh: TestMesh

  beforeEach(async () => {
    mesh = await testMesh({ services: ['rag-embeddings'] })
  })

  afterEach(() => mesh?.stop())

  const ask = async (url: string, query: string): Promise<string[]> => {
    const response = await postJson(`${url}/service/rag`, { query, top_k: 3 })
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
    const { passages } = (await response.json()) as Passages
    return passages.map(({ document_id }) => document_id)
  }

  it('are found through every ingress, also after a holder is killed', async () => {
    const ingresses = [mesh.relay, ...mesh.workers]
    await until('every peer knows every instance', async () => {
      const all = await Promise.all(ingresses.map(({ url }) => getJson<{ services: Service[] }>(`${url}/api/services`)))
      return all.every(({ services }) => services.find(({ name }) => name === 'rag-embeddings')?.found === 3)
    })
    const texts = [
      'Breathing space pauses most interest, fees and enforcement for sixty days.',
      'A debt relief order suits people with few assets and little spare income.',
      'Council tax arrears are a priority debt: the council can send enforcement agents.',
      'Bankruptcy is usually discharged after twelve months.'
    ]
    const holders = new Set<string>()
    for (const [i, text] of texts.entries()) {
      const ingress = ingresses[i % ingresses.length]
      const response = await postJson(`${ingress?.url}/service/rag/documents`, { id: `doc-${i}`, text })
      const answer = await response.json()
      assert.equal(response.status, 201, JSON.stringify(answer))
      assert.ok(answer.replicas >= 2, `document ${i} is on ${answer.replicas} worker(s)`)
      holders.add(response.headers.get('hedgerow-worker') ?? '')
    }
    for (const { url } of ingresses) {
      for (const [i, text] of texts.entries())
        assert.ok((await ask(url, text)).includes(`doc-${i}`), `doc-${i} at ${url}`)
    }

    const victim = mesh.workers.find(({ peerId }) => holders.has(peerId))
    victim?.child.kill('SIGKILL')
    for (const { url } of ingresses.filter(one => one !== victim)) {
      for (const [i, text] of texts.entries())
        assert.ok((await ask(url, text)).includes(`doc-${i}`), `doc-${i} at ${url} after the kill`)
    }
    // What is added now reaches two workers again, since two are left.
    const late = await until('a new document is on two workers', async () => {
      const answer = await (
        await postJson(`${mesh.relay.url}/service/rag/documents`, {
          id: 'late',
          text: 'Token payments keep a creditor informed.'
        })
      ).json()
      return answer.replicas >= 2 && answer
    })
    assert.equal(late.id, 'late')
  })

  it('that were deleted stay deleted for a worker that comes back', async () => {
    const added = await postJson(`${mesh.relay.url}/service/rag/documents`, {
      id: 'gone',
      text: 'An individual voluntary arrangement binds creditors.'
    })
    assert.equal(added.status, 201)
    const holder = mesh.workers.find(({ peerId }) => peerId === added.headers.get('hedgerow-worker'))
    holder?.child.kill('SIGKILL')
    await until('it is dead', async () => holder?.child.signalCode != null)
    await until('it is deleted', async () => {
      const response = await fetch(`${mesh.relay.url}/service/rag/documents/gone`, { method: 'DELETE' })
      return response.ok
    })
    const again = await mesh.startWorker(holder?.name ?? '')
    await until(
      'it serves again',
      async () => (await getJson<{ services: string[] }>(`${again.url}/health`)).services.includes('rag-embeddings'),
      40_000
    )
    const response = await until('the relay reaches it again', async () => {
      const answer = await postJson(
        `${mesh.relay.url}/service/rag`,
        { query: 'voluntary arrangement', top_k: 3 },
        { 'hedgerow-worker': again.peerId }
      )
      return answer.status === 200 && answer
    })
    assert.ok(!((await response.json()) as Passages).passages.some(({ document_id }) => document_id === 'gone'))
  })
})

describe('files in a mesh', function () {
  this.timeout(180_000)
  let mesh: TestMesh

  before(async () => {
    mesh = await testMesh({ services: ['rag-embeddings', 'document-processing'], workers: 2 })
  })

  after(() => mesh?.stop())

  it('are read by document-processing and found by what they say', async () => {
    const pdf = await readFile(new URL('../../examples/data/creditor-letter.pdf', import.meta.url))
    const form = new FormData()
    form.set('id', 'in-a-form')
    form.set('file', new Blob([pdf], { type: 'application/octet-stream' }), 'letter.pdf')
    const uploads: Array<[string, RequestInit]> = [
      ['?id=as-it-is', { headers: { 'content-type': 'application/pdf' }, body: new Uint8Array(pdf) }],
      ['', { body: form }]
    ]
    for (const [query, init] of uploads) {
      const response = await fetch(`${mesh.relay.url}/service/rag/documents${query}`, { method: 'POST', ...init })
      assert.equal(response.status, 201, await response.clone().text())
      const { id } = await response.json()
      const { text } = await getJson<{ text: string }>(`${mesh.relay.url}/service/rag/documents/${id}`)
      assert.match(text, /£/)
    }
    const broken = await fetch(`${mesh.relay.url}/service/rag/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/pdf' },
      body: '%PDF-1.7 and no more'
    })
    assert.equal(broken.status, 422, await broken.clone().text())
    assert.match((await broken.json()).detail, /document-processing/)
  })
})
