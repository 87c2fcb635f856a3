import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Mesh, startMesh } from '@hedgerow/scripts/mesh'
import { journey, type Step } from '../src/journey.ts'

/** Steps to turn one text into another, by the share of the longer one (Levenshtein). */
function difference(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1))
      )
    row = next
  }
  return (row.at(-1) ?? 0) / Math.max(one.length, other.length)
}

const plain = (text: string): string => text.replace(/\s+/g, ' ').trim()

describe('the journey of a case through a mesh of what ships', function () {
  this.timeout(240_000)
  let dataDir: string
  let mesh: Mesh
  const steps: Step[] = []

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-journey-'))
    mesh = await startMesh({ httpPort: 0, workers: 3, dataDir, logToFile: true })
    await mesh.ready(AbortSignal.timeout(120_000))
    for await (const step of journey(mesh.relay.url)) steps.push(step)
  })

  after(async () => {
    await mesh?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  const step = <T>(index: number): T => steps[index]?.body as T

  it('is done by workers, each step with a request id to ask about', async () => {
    assert.equal(steps.length, 7)
    const workers = new Set(mesh.workers.map(({ peerId }) => peerId))
    for (const { worker, requestId, title } of steps) {
      assert.ok(workers.has(worker), title)
      const explanation = await (await fetch(`${mesh.relay.url}/explain/${requestId}`)).json()
      assert.equal(explanation.chosen, worker)
    }
  })

  it('says of each step what came of it', () => {
    const results = steps.map(({ result }) => result)
    assert.match(results[2] ?? '', /MONEY £/)
    assert.ok(!results.some(result => result.includes('(s)')))
    for (const { excerpt } of steps.slice(5)) assert.match(excerpt ?? '', /Dear /)
  })

  it('reads the scan by OCR and the text PDF by its text, to the same words', async () => {
    const scan = step<{ text: string; pages: Array<{ source: string }> }>(0)
    const text = step<{ text: string; pages: Array<{ source: string }> }>(1)
    assert.ok(scan.pages.every(({ source }) => source === 'ocr'))
    assert.ok(text.pages.every(({ source }) => source === 'text'))
    const original = plain(await readFile(new URL('../data/creditor-letter.txt', import.meta.url), 'utf8'))
    assert.ok(difference(plain(text.text), original) < 0.01, 'the text PDF')
    assert.ok(difference(plain(scan.text), original) < 0.02, 'the scan')
  })

  it('finds in the scanned text who writes and how much is owed', () => {
    const { entities } = step<{ entities: Array<{ type: string }> }>(2)
    const types = new Set(entities.map(({ type }) => type))
    for (const type of ['PERSON', 'ORG', 'MONEY', 'DATE', 'POSTCODE']) assert.ok(types.has(type), type)
  })

  it('keeps the manual on two workers and finds the chapter that answers', () => {
    assert.ok(step<{ replicas: number }>(3).replicas >= 2)
    const { passages } = step<{ passages: Array<{ document_id: string }> }>(4)
    assert.ok(
      passages.some(({ document_id }) => /breathing/.test(document_id)),
      JSON.stringify(passages.map(({ document_id }) => document_id))
    )
  })

  it('drafts a letter from either kind of notes, with every amount in it', async () => {
    for (const [index, register] of [
      [5, 'labelled'],
      [6, 'prose']
    ] as const) {
      const { letter, status, facts } = step<{ letter: string; status: string; facts: unknown[] }>(index)
      assert.equal(status, 'draft')
      assert.ok(facts.length > 5)
      const notes = await readFile(new URL(`../data/adviser-notes-${register}.txt`, import.meta.url), 'utf8')
      const digits = (text: string): string => text.replaceAll(',', '')
      for (const [, amount = ''] of notes.matchAll(/£(\d[\d,]*(?:\.\d\d)?)/g)) {
        const pounds = digits(amount).replace(/\.00$/, '')
        assert.ok(digits(letter).includes(pounds), `£${amount} of the ${register} notes is in the letter`)
      }
    }
  })
})
