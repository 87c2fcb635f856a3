import assert from 'node:assert/strict'
import { type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { describeFaults, inputErrors } from '../src/index.ts'

const Body = Type.Object({
  text: Type.String({ minLength: 1, maxLength: 3 }),
  format: Type.Optional(Type.Union([Type.Literal('text'), Type.Literal('html')])),
  types: Type.Optional(Type.Array(Type.Enum(['A', 'B']), { minItems: 1, maxItems: 2 })),
  top: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
  id: Type.Optional(Type.String({ pattern: '^[a-z]+$' })),
  client: Type.Optional(Type.Union([Type.String(), Type.Object({ name: Type.Optional(Type.String()) })]))
})
const Either = Type.Union([Type.Object({ text: Type.String() }), Type.Object({ texts: Type.Array(Type.String()) })])

describe('what is wrong with an input', () => {
  const cases: Array<[TSchema, unknown, string]> = [
    [Body, {}, 'the body must have "text"'],
    [Body, [], 'the body must be an object'],
    [Body, { text: 5 }, 'text must be a string'],
    [Body, { text: '' }, 'text must not be empty'],
    [Body, { text: 'abcd' }, 'text must have 3 characters at most'],
    [Body, { text: 'a', format: 'pdf' }, 'format must be one of "text", "html"'],
    [Body, { text: 'a', types: ['A', 'C'] }, 'types[1] must be one of "A", "B"'],
    [Body, { text: 'a', types: [] }, 'types must not be empty'],
    [Body, { text: 'a', top: 9 }, 'top must be 5 or less'],
    [Body, { text: 'a', top: '3' }, 'top must be a whole number'],
    [Body, { text: 'a', id: 'A' }, 'id must match ^[a-z]+$'],
    [Body, { text: 'a', client: 5 }, 'client must be a string or an object'],
    [Body, { text: 'a', client: { name: 5 } }, 'client.name must be a string'],
    [Either, {}, 'the body must have "text", or "texts"'],
    [Either, { texts: 5 }, 'texts must be a list']
  ]
  for (const [schema, value, said] of cases) {
    it(`is said as: ${said}`, () => {
      assert.equal(describeFaults(Value.Errors(schema, value)), said)
    })
  }

  it('is listed, all of it', () => {
    assert.deepEqual(inputErrors(Value.Errors(Body, { text: 5, top: 0 })), [
      { path: '/text', message: 'must be a string' },
      { path: '/top', message: 'must be 1 or more' }
    ])
  })
})
