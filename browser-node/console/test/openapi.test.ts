import assert from 'node:assert/strict'
import { operationsOf, plainOperations } from '../src/logic/openapi.ts'

const document = {
  openapi: '3.1.0',
  components: { schemas: { Size: { type: 'integer', minimum: 64, maximum: 2048, default: 300 } } },
  paths: {
    '/documents/{id}': {
      get: {
        summary: 'One document',
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^a' } },
          { name: 'collection', in: 'query', description: 'where it lies', schema: { type: 'string', maxLength: 64 } },
          { name: 'x-trace', in: 'header', schema: { type: 'string' } }
        ]
      }
    },
    '/draw': {
      post: {
        requestBody: {
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['text'],
                properties: {
                  text: { type: 'string', minLength: 1, maxLength: 200 },
                  size: { $ref: '#/components/schemas/Size' },
                  level: { anyOf: [{ enum: ['L'] }, { enum: ['M'] }], default: 'M' },
                  only: { type: 'array', items: { enum: ['a', 'b'] } },
                  client: { anyOf: [{ type: 'object' }, { type: 'string', maxLength: 200 }] },
                  notes: { type: 'string' },
                  dark: { type: 'boolean' },
                  extra: { type: 'object' }
                }
              }
            }
          }
        }
      }
    },
    '/embed': {
      post: {
        requestBody: {
          content: {
            'application/json': {
              schema: {
                anyOf: [
                  { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
                  { type: 'object', required: ['texts'], properties: { texts: { type: 'array' } } }
                ]
              }
            }
          }
        }
      }
    },
    '/read': { post: { summary: 'Reads a picture' } }
  }
}

describe('forms from schemas', () => {
  const operations = operationsOf(document)
  const get = (id: string) => {
    const found = operations.find(operation => operation.id === id)
    assert.ok(found, id)
    return found
  }

  it('put what does something before what only looks', () => {
    assert.deepEqual(
      operations.map(({ id }) => id),
      ['POST /draw', 'POST /embed', 'POST /read', 'GET /documents/{id}']
    )
  })

  it('give each field the input that suits it', () => {
    const kinds = Object.fromEntries(get('POST /draw').fields.map(({ name, kind }) => [name, kind]))
    assert.deepEqual(kinds, {
      text: 'text',
      size: 'integer',
      level: 'choice',
      only: 'choices',
      client: 'text',
      notes: 'long-text',
      dark: 'boolean',
      extra: 'json'
    })
  })

  it('keep bounds, defaults, choices and what is required', () => {
    const [text, size, level, only] = get('POST /draw').fields
    assert.deepEqual([text?.required, text?.minLength, text?.maxLength], [true, 1, 200])
    assert.deepEqual([size?.required, size?.min, size?.max, size?.initial], [false, 64, 2048, '300'])
    assert.deepEqual([level?.options, level?.initial], [['L', 'M'], 'M'])
    assert.deepEqual(only?.options, ['a', 'b'])
  })

  it('have fields for the path and the query, not for headers', () => {
    const { fields, body } = get('GET /documents/{id}')
    assert.equal(body, 'none')
    assert.deepEqual(
      fields.map(({ name, in: place, required, hint }) => [name, place, required, hint]),
      [
        ['id', 'path', true, ''],
        ['collection', 'query', false, 'where it lies']
      ]
    )
  })

  it('offer the fields of all shapes that a body may have, and require none', () => {
    const { fields } = get('POST /embed')
    assert.deepEqual(
      fields.map(({ name, required }) => [name, required]),
      [
        ['text', false],
        ['texts', false]
      ]
    )
  })

  it('take a file where the schema names no body', () => {
    assert.equal(get('POST /read').body, 'any')
  })

  it('survive documents that are none', () => {
    for (const broken of [null, 7, [], { paths: 3 }, { paths: { '/': null } }, { paths: { '/': { post: 5 } } }])
      assert.deepEqual(operationsOf(broken), [])
    assert.equal(
      operationsOf({ paths: { '/': { post: { requestBody: { $ref: '#/a' } } } }, a: { $ref: '#/a' } }).length,
      1
    )
  })

  it('are plain for a service that does not describe itself', () => {
    assert.deepEqual(
      plainOperations().map(({ id, body }) => [id, body]),
      [
        ['POST /', 'any'],
        ['GET /', 'none']
      ]
    )
  })
})
