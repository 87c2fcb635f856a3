import { asArray, asNumber, asRecord, asString, type JsonRecord } from './json.ts'
import { labelOf } from './words.ts'

/** What one operation of a service takes, as a form can show it. */
export interface Operation {
  /** `POST /extract` */
  id: string
  method: string
  path: string
  summary: string
  fields: Field[]
  /**
   * - `none`: no body
   * - `json`: the fields of `in: 'body'`
   * - `any`: the schema names no body, so it is bytes: a file, or text
   */
  body: 'none' | 'json' | 'any'
}

export type FieldKind = 'text' | 'long-text' | 'number' | 'integer' | 'boolean' | 'choice' | 'choices' | 'json'

export interface Field {
  name: string
  in: 'body' | 'query' | 'path'
  label: string
  hint: string
  kind: FieldKind
  required: boolean
  options: string[]
  initial: string | boolean | undefined
  min: number | undefined
  max: number | undefined
  minLength: number | undefined
  maxLength: number | undefined
  pattern: string | undefined
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const
/** A text that may be longer than this gets a box of several lines. */
const LINE = 4000

/** The operations of a service in the order that it gives them, what changes something or works first. */
export function operationsOf(document: unknown): Operation[] {
  const root = asRecord(document) ?? {}
  const operations: Operation[] = []
  for (const [path, item] of Object.entries(asRecord(root.paths) ?? {})) {
    for (const method of METHODS) {
      const operation = asRecord(asRecord(item)?.[method])
      if (operation != null) operations.push(operationOf(root, path, method.toUpperCase(), operation))
    }
  }
  return operations.sort((a, b) => Number(a.method === 'GET') - Number(b.method === 'GET'))
}

/** For a service that doesn't describe itself: its main operation, with whatever one sends. */
export function plainOperations(): Operation[] {
  return operationsOf({
    paths: { '/': { post: { summary: 'Send it something' }, get: { summary: 'Ask it without sending anything' } } }
  })
}

function operationOf(root: JsonRecord, path: string, method: string, operation: JsonRecord): Operation {
  const schema = bodySchemaOf(root, operation)
  const required = asArray(schema?.required)
  const properties = Object.entries(asRecord(schema?.properties) ?? {})
  const parameters = asArray(operation.parameters).map(parameter => asRecord(resolve(root, parameter)) ?? {})
  const fields = [
    ...properties.map(([name, property]) => fieldOf(root, name, 'body', property, required.includes(name))),
    ...parameters.flatMap(parameter => {
      const { name, in: place } = parameter
      if (typeof name !== 'string' || (place !== 'query' && place !== 'path')) return []
      const described = { description: parameter.description, ...asRecord(resolve(root, parameter.schema)) }
      return [fieldOf(root, name, place, described, place === 'path' || parameter.required === true)]
    })
  ]
  const takesBody = method !== 'GET' && method !== 'DELETE'
  return {
    id: `${method} ${path}`,
    method,
    path,
    summary: asString(operation.summary) ?? '',
    fields,
    body: schema != null ? 'json' : takesBody ? 'any' : 'none'
  }
}

function bodySchemaOf(root: JsonRecord, operation: JsonRecord): JsonRecord | undefined {
  const content = asRecord(asRecord(resolve(root, operation.requestBody))?.content)
  const schema = asRecord(resolve(root, asRecord(content?.['application/json'])?.schema))
  if (schema == null) return undefined
  const alternatives = asArray(schema.anyOf ?? schema.oneOf).map(one => asRecord(resolve(root, one)) ?? {})
  if (alternatives.length === 0) return schema
  // Any of several shapes: all their fields are offered, and none can be called required.
  return { properties: Object.assign({}, ...alternatives.map(({ properties }) => properties)) }
}

function fieldOf(root: JsonRecord, name: string, place: Field['in'], raw: unknown, required: boolean): Field {
  const schema = simplest(root, asRecord(resolve(root, raw)) ?? {})
  const items = asRecord(resolve(root, schema.items))
  const options = asArray(schema.enum ?? items?.enum).map(String)
  const { default: initial } = schema
  return {
    name,
    in: place,
    label: labelOf(name),
    hint: asString(schema.description) ?? '',
    kind: kindOf(schema, items),
    required,
    options,
    initial:
      typeof initial === 'boolean'
        ? initial
        : initial == null || typeof initial === 'object'
          ? undefined
          : String(initial),
    min: asNumber(schema.minimum),
    max: asNumber(schema.maximum),
    minLength: asNumber(schema.minLength),
    maxLength: asNumber(schema.maxLength),
    pattern: asString(schema.pattern)
  }
}

function kindOf(schema: JsonRecord, items: JsonRecord | undefined): FieldKind {
  if (Array.isArray(schema.enum)) return 'choice'
  if (items != null && Array.isArray(items.enum)) return 'choices'
  switch (schema.type) {
    case 'boolean':
      return 'boolean'
    case 'integer':
      return 'integer'
    case 'number':
      return 'number'
    case 'string':
      return (asNumber(schema.maxLength) ?? 0) >= LINE ||
        (schema.maxLength == null && schema.pattern == null && schema.format == null)
        ? 'long-text'
        : 'text'
    default:
      return 'json'
  }
}

/** Of alternatives the one that is easiest to fill in: a choice of words, else a plain text, else the first. */
function simplest(root: JsonRecord, schema: JsonRecord): JsonRecord {
  const alternatives = asArray(schema.anyOf ?? schema.oneOf).map(one => asRecord(resolve(root, one)) ?? {})
  if (alternatives.length === 0) return schema
  const words = alternatives.flatMap(({ enum: values, const: value }) =>
    asArray(values ?? (value == null ? [] : [value]))
  )
  const { description, default: initial } = schema
  if (words.length > 0 && alternatives.every(one => one.enum != null || one.const != null))
    return { description, default: initial, enum: words }
  return { description, default: initial, ...(alternatives.find(({ type }) => type === 'string') ?? alternatives[0]) }
}

/** Follows `$ref` within the document, a few steps at most. */
function resolve(root: JsonRecord, value: unknown): unknown {
  let found = value
  for (let step = 0; step < 8; step++) {
    const ref = asString(asRecord(found)?.$ref)
    if (ref == null || !ref.startsWith('#/')) return found
    found = ref
      .slice(2)
      .split('/')
      .reduce<unknown>((at, key) => asRecord(at)?.[key.replace(/~1/g, '/').replace(/~0/g, '~')], root)
  }
  return undefined
}
