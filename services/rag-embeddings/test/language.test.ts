import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Tokenizer } from '@huggingface/tokenizers'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { Embedder } from '../src/language/embedder.ts'
import { Ideas, readIdeas } from '../src/language/ideas.ts'
import { SentenceEncoder } from '../src/language/sentence-encoder.ts'
import type { Urgency } from '../src/language/turns.ts'
import { searchStems } from '../src/language/words.ts'
import { packVectors, rounded, unpackVectors } from '../src/store/vectors.ts'

describe('words', () => {
  it('are folded and stemmed alike in questions and in passages', () => {
    assert.deepEqual(searchStems('The client’s Café payments'), searchStems('CLIENT cafe payment'))
    assert.deepEqual(searchStems('section 13A of CR-0123'), ['section', '13a', 'cr', '0123'])
  })
})

describe('ideas', () => {
  const ideas = new Ideas('# people\nbailiff, enforcement agent\ncouncil tax, poll tax # old name\n\n')

  it('are found by any of their names, whatever the ending, as often as they are named', () => {
    assert.deepEqual(ideas.find('Enforcement agents are called bailiffs by most.'), [0, 0])
    assert.deepEqual(ideas.find('The poll tax'), [1])
  })

  it('are not found in parts of a phrase', () => {
    assert.deepEqual(ideas.find('an estate agent pays tax'), [])
  })

  it('are in the shipped list once each', () => {
    const { terms } = readIdeas()
    assert.ok(terms.length > 100)
    for (const line of terms) {
      assert.equal(new Set(line).size, line.length, line.join(', '))
      assert.ok(line.length >= 2 && line.every(term => term !== ''), line.join(', '))
    }
  })
})

/** What the model gave before it was made smaller, and the word pieces that its own tokenizer made. */
const Reference = Type.Object({
  pieces: Type.Array(Type.Object({ text: Type.String(), ids: Type.Array(Type.Integer()) })),
  vectors: Type.Array(Type.Object({ text: Type.String(), vector: Type.Array(Type.Number()) }))
})

describe('the sentence encoder', function () {
  this.timeout(30_000)
  let reference: Static<typeof Reference>
  let encoder: SentenceEncoder

  before(async () => {
    const file = new URL('data/sentence-encoder.json', import.meta.url)
    reference = Value.Parse(Reference, JSON.parse(readFileSync(file, 'utf8')))
    encoder = await SentenceEncoder.start()
  })
  after(() => encoder.close())

  it('cuts any text into the word pieces that the model was trained on', () => {
    const file = new URL('../data/tokenizer.json', import.meta.url)
    const tokenizer = new Tokenizer(JSON.parse(readFileSync(file, 'utf8')), {})
    for (const { text, ids } of reference.pieces) assert.deepEqual(tokenizer.encode(text).ids, ids, text)
  })

  it('gives vectors close to those of the original model', async () => {
    const vectors = await encoder.embedAll(
      reference.vectors.map(({ text }) => text),
      'question'
    )
    for (const [i, { text, vector }] of reference.vectors.entries()) {
      const near = cosine(vectors[i] ?? [], vector)
      assert.ok(near > 0.98, `${near} for ${text}`)
    }
  })

  it('gives the same text the same vector, alone or among others, and zeros to one without letters', async () => {
    const [first, marks, second] = await encoder.embedAll(['rent arrears', '?! …', 'rent arrears'], 'write')
    assert.deepEqual(first, second)
    assert.ok(Math.abs(Math.hypot(...(first ?? [])) - 1) < 1e-5)
    assert.deepEqual([...new Set(marks)], [0])
  })

  it('reads the beginning of a text of any length', async () => {
    const [long, longer] = await encoder.embedAll(['owed '.repeat(5000), 'owed '.repeat(20_000)], 'write')
    assert.deepEqual(long, longer)
  })

  it('answers a question before the documents that were there first, and short ones before the end of long ones', async () => {
    const done: string[] = []
    const wait = (name: string, count: number, urgency: Urgency): Promise<unknown> =>
      encoder.embedAll(Array(count).fill('The council wrote again.'), urgency).then(() => done.push(name))
    const background = wait('background', 3, 'background')
    const book = wait('book', 40, 'write')
    const letter = wait('letter', 2, 'write')
    const question = wait('question', 1, 'question')
    await Promise.all([background, book, letter, question])
    assert.deepEqual(done, ['question', 'letter', 'book', 'background'])
  })

  it('gives what it has when the time is up', async () => {
    const enough = new AbortController()
    const texts = function* (): Generator<string> {
      yield 'one'
      yield 'two'
      enough.abort()
      yield 'three'
      assert.fail('it went on')
    }
    assert.equal((await encoder.embedAll(texts(), 'write', enough.signal)).length, 3)
  })

  it('brings texts closer together that name the same idea', async () => {
    const [asked, written] = ['the bailiffs are coming', 'a visit by enforcement agents']
    const embedder = new Embedder(encoder, new Ideas('bailiff, enforcement agent'))
    const plain = await encoder.embedAll([asked, written], 'question')
    const [a, b] = await embedder.embedAll([asked, written], 'question')
    assert.ok(cosine(a ?? [], b ?? []) > cosine(plain[0] ?? [], plain[1] ?? []) + 0.05)
    assert.notEqual(embedder.model, new Embedder(encoder, new Ideas('bailiff, sheriff')).model)
  })

  it('ends with the process that has nothing else to do, and when it is told to', async () => {
    const another = await SentenceEncoder.start({ threads: 1 })
    const waiting = another.embedAll(Array(100).fill('never done'), 'background')
    await another.close()
    assert.ok((await waiting).length < 100)
  })
})

describe('rounded vectors', () => {
  it('point where they did, and come out of a message as they went in', () => {
    const vectors = [1, 2, 3].map(seed =>
      Float32Array.from({ length: 384 }, (_, i) => Math.sin(seed * 1000 + i * (seed + 0.7)))
    )
    const small = vectors.map(rounded)
    for (const [i, vector] of vectors.entries()) assert.ok(cosine(vector, small[i] ?? []) > 0.9999)
    const packed = packVectors([small[0], undefined, small[2]])
    assert.deepEqual(unpackVectors(packed ?? '', 3, 384), [small[0], undefined, small[2]])
    assert.deepEqual(unpackVectors(packed ?? '', 2, 384), [])
    assert.equal(packVectors([undefined]), undefined)
  })
})

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
    Array.from(x).reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}
