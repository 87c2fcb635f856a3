import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Embedder } from '../src/language/embedder.ts'
import { Ideas, readIdeas } from '../src/language/ideas.ts'
import { principalAxes } from '../src/language/principal-axes.ts'
import { readWordVectors, VECTORS_FILE, WordVectorsError } from '../src/language/word-vectors.ts'
import { contentWords, searchStems } from '../src/language/words.ts'

describe('words', () => {
  it('are folded and stemmed alike in questions and in passages', () => {
    assert.deepEqual(searchStems('The client’s Café payments'), searchStems('CLIENT cafe payment'))
    assert.deepEqual(searchStems('section 13A of CR-0123'), ['section', '13a', 'cr', '0123'])
    assert.deepEqual(contentWords('He could not pay it'), ['pay'])
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

describe('word vectors', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'hedgerow-vectors-'))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  const inDirectory = (name: string): URL => pathToFileURL(join(directory, name))

  it('that were not built are reported with the command that builds them', () => {
    assert.throws(
      () => readWordVectors(inDirectory('none.bin')),
      (err: unknown) => err instanceof WordVectorsError && err.message.includes('npm run build-embeddings')
    )
  })

  it('that are cut short or no such file are refused', () => {
    const whole = readFileSync(VECTORS_FILE)
    for (const [name, bytes] of Object.entries({
      'short.bin': whole.subarray(0, whole.length - 1),
      'start.bin': whole.subarray(0, 3),
      'other.bin': Buffer.from('{"format":"something else"}'),
      'zeros.bin': Buffer.alloc(10_000)
    })) {
      writeFileSync(join(directory, name), bytes)
      assert.throws(() => readWordVectors(inDirectory(name)), WordVectorsError, name)
    }
  })

  it('carry the licence notices of their data', () => {
    const { notice } = readWordVectors().header
    assert.match(notice, /GloVe/)
    assert.match(notice, /MIT License/)
  })

  it('put texts with the same meaning nearer than others', () => {
    const embedder = new Embedder(readWordVectors(), readIdeas())
    const near = (a: string, b: string): number => {
      const [x, y] = [embedder.embed(a), embedder.embed(b)]
      return x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0)
    }
    assert.ok(
      near('the car broke down', 'my vehicle needs repair') > near('the car broke down', 'a letter from the bank')
    )
    assert.ok(near('bailiffs at the door', 'a visit by enforcement agents') > 0.4)
    assert.ok(Math.abs(near('one text', 'one text') - 1) < 1e-5)
    assert.deepEqual([...new Set(embedder.embed('xqzzk 123 !'))], [0])
  })
})

describe('principal axes', () => {
  it('are those of the data, strongest first', () => {
    // along (3, 4) far, across a little, around (10, 20)
    const points = Float32Array.from(
      Array.from({ length: 200 }, (_, i) => {
        const [along, across] = [Math.sin(i) * 10, Math.cos(i * 7)]
        return [10 + 0.6 * along - 0.8 * across, 20 + 0.8 * along + 0.6 * across]
      }).flat()
    )
    const { mean, axes } = principalAxes(points, 2, () => 1)
    const [first, second] = axes
    assert.ok(first != null && second != null && first.variance > 20 * second.variance)
    assert.ok(Math.abs(Math.abs((first.direction[1] ?? 0) / (first.direction[0] ?? 1)) - 4 / 3) < 0.05)
    assert.ok(Math.abs((mean[0] ?? 0) - 10) < 0.2 && Math.abs((mean[1] ?? 0) - 20) < 0.2)
  })
})
