import assert from 'node:assert/strict'
import { ContextTable } from '../src/serving/index.ts'

describe('contexts for calls of backends', () => {
  it('are as many as services and requests under way, however often a backend starts', () => {
    const contexts = new ContextTable()
    const tokens = new Set(Array.from({ length: 50 }, () => contexts.openFor('rag-embeddings')))
    assert.equal(tokens.size, 1)
    assert.notEqual(contexts.openFor('lab'), [...tokens][0])
    const token = contexts.open({ requestId: 'r', depth: 0, backend: 'lab' })
    assert.equal(contexts.size, 3)
    contexts.close(token)
    assert.equal(contexts.get(token), undefined)
    assert.equal(contexts.size, 2)
  })
})
