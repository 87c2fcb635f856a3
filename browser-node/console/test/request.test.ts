import assert from 'node:assert/strict'
import { type Operation, operationsOf } from '../src/logic/openapi.ts'
import { DraftError, wireOf } from '../src/logic/request.ts'

function operation(method: string, path: string, of: object): Operation {
  const [made] = operationsOf({ paths: { [path]: { [method]: of } } })
  assert.ok(made)
  return made
}

const query = operation('post', '/query', {
  requestBody: {
    content: {
      'application/json': {
        schema: {
          required: ['query'],
          properties: {
            query: { type: 'string', maxLength: 100 },
            top_k: { type: 'integer' },
            exact: { type: 'boolean' },
            types: { type: 'array', items: { enum: ['A', 'B'] } },
            meta: { type: 'object' }
          }
        }
      }
    }
  }
})
const read = operation('post', '/read', {})
const nothing = { file: undefined, text: '', json: undefined }

describe('what a form sends', () => {
  it('is JSON with the types of the schema, without what is empty', () => {
    const wire = wireOf({
      ...nothing,
      operation: query,
      values: { query: 'rent', top_k: '3', exact: true, types: ['A'], meta: '{"a": 1}' }
    })
    assert.deepEqual([wire.method, wire.path, wire.headers], ['POST', '/query', { 'content-type': 'application/json' }])
    assert.deepEqual(JSON.parse(String(wire.body)), {
      query: 'rent',
      top_k: 3,
      exact: true,
      types: ['A'],
      meta: { a: 1 }
    })
    const bare = wireOf({
      ...nothing,
      operation: query,
      values: { query: 'rent', top_k: '', types: [], meta: 'words' }
    })
    assert.deepEqual(JSON.parse(String(bare.body)), { query: 'rent', meta: 'words' })
  })

  it('is refused with the field that is to blame', () => {
    const blamed = (values: Record<string, string>): string => {
      try {
        wireOf({ ...nothing, operation: query, values })
      } catch (err) {
        assert.ok(err instanceof DraftError)
        return err.field
      }
      return 'nobody'
    }
    assert.equal(blamed({}), 'query')
    assert.equal(blamed({ query: 'x', top_k: '2.5' }), 'top_k')
    assert.equal(blamed({ query: 'x', top_k: 'many' }), 'top_k')
    assert.equal(blamed({ query: 'x', meta: '{"a": ' }), 'meta')
    assert.equal(blamed({ query: 'x' }), 'nobody')
  })

  it('is what was written by hand, as it stands', () => {
    const { body } = wireOf({ ...nothing, operation: query, values: {}, json: '{"query": "by hand" }' })
    assert.equal(body, '{"query": "by hand" }')
  })

  it('puts values into the path and the query, escaped', () => {
    const get = operation('get', '/documents/{id}', {
      parameters: [
        { name: 'id', in: 'path', schema: { type: 'string' } },
        { name: 'c', in: 'query', schema: { type: 'string' } }
      ]
    })
    assert.equal(
      wireOf({ ...nothing, operation: get, values: { id: 'a/b c', c: 'x&y' } }).path,
      '/documents/a%2Fb%20c?c=x%26y'
    )
    assert.equal(wireOf({ ...nothing, operation: get, values: { id: 'a' } }).path, '/documents/a')
  })

  it('is a file with its name and type', () => {
    const file = new File(['x'], 'Käse.png', { type: 'image/png' })
    const { headers, body } = wireOf({ ...nothing, operation: read, values: {}, file })
    assert.equal(body, file)
    assert.deepEqual(headers, {
      'content-type': 'image/png',
      'content-disposition': "inline; filename*=UTF-8''K%C3%A4se.png"
    })
  })

  it('is no empty file, as a folder may look too', () => {
    const file = new File([], 'letters', { type: '' })
    assert.throws(() => wireOf({ ...nothing, operation: read, values: {}, file }), DraftError)
  })

  it('is a text where there is no file, JSON if it is JSON', () => {
    const type = (text: string) => wireOf({ ...nothing, operation: read, values: {}, text }).headers['content-type']
    assert.equal(type('hello'), 'text/plain; charset=utf-8')
    assert.equal(type('{"a": 1}'), 'application/json')
    assert.equal(type('{not json'), 'text/plain; charset=utf-8')
    assert.throws(() => type(' '), DraftError)
  })
})
