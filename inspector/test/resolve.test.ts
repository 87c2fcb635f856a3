import assert from 'node:assert/strict'
import { nearMatches } from '../src/commands/near.ts'
import { resolvePeer } from '../src/commands/resolve.ts'
import { InspectorError } from '../src/errors.ts'

const peers = [
  { name: 'worker-1', peer_id: '12D3KooWAaaaBbbbCccc1111', role: 'worker' },
  { name: 'worker-2', peer_id: '12D3KooWAaaaDdddEeee2222', role: 'worker' },
  { name: 'twin', peer_id: '12D3KooWFfffGggg3333', role: 'worker' },
  { name: 'twin', peer_id: '12D3KooWFfffHhhh4444', role: 'worker' },
  { name: '2222', peer_id: '12D3KooWIiii5555', role: 'relay' }
]

const idOf = (given: string): string => resolvePeer(peers, given).peer_id

function failure(given: string): InspectorError {
  try {
    resolvePeer(peers, given)
  } catch (err) {
    if (err instanceof InspectorError) return err
    throw err
  }
  return assert.fail(`${given} should not be anybody`)
}

describe('naming a peer', () => {
  it('takes a name, whatever its case', () => {
    assert.equal(idOf('worker-2'), '12D3KooWAaaaDdddEeee2222')
    assert.equal(idOf('Worker-1'), '12D3KooWAaaaBbbbCccc1111')
  })

  it('takes a whole id, its beginning, its end, and the short form that tables show', () => {
    for (const given of ['12D3KooWAaaaBbbbCccc1111', '12D3KooWAaaaB', 'Cccc1111', '…Cccc1111'])
      assert.equal(idOf(given), '12D3KooWAaaaBbbbCccc1111', given)
  })

  it('prefers a name over the end of an id', () => {
    assert.equal(idOf('2222'), '12D3KooWIiii5555')
  })

  it('refuses what may be several, and says which', () => {
    for (const given of ['twin', '12D3KooWA', '12D3KooW']) {
      const { code, hints } = failure(given)
      assert.equal(code, 'Failed')
      assert.ok(hints.length > 2, given)
    }
    assert.ok(failure('twin').hints.includes('twin  worker  12D3KooWFfffHhhh4444'))
  })

  it('guesses what was meant when there is nobody', () => {
    assert.match(failure('wroker-1').hints.join(), /worker-1/)
    assert.match(failure('xyz').hints.join(), /2222, twin, twin, worker-1, worker-2/)
    assert.equal(failure('').code, 'Failed')
  })
})

describe('near matches', () => {
  const services = ['ner-extraction', 'ner', 'vision-ocr', 'rag-embeddings']

  it('forgives slips and finds what was only begun, the nearest first', () => {
    assert.deepEqual(nearMatches('nre', services), ['ner'])
    assert.deepEqual(nearMatches('ner-extractoin', services), ['ner-extraction'])
    assert.deepEqual(nearMatches('visoin-ocr', services), ['vision-ocr'])
    assert.deepEqual(nearMatches('embeddings', services), ['rag-embeddings'])
    assert.equal(nearMatches('NER', services).includes('ner'), true)
  })

  it('guesses nothing from what is far from everything, or far too long', () => {
    assert.deepEqual(nearMatches('postgres', services), [])
    assert.deepEqual(nearMatches('ner'.repeat(10_000), services), [])
  })
})
