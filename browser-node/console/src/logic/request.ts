import type { Field, Operation } from './openapi.ts'

export type FieldValue = string | boolean | string[]
export type Values = Record<string, FieldValue | undefined>

export interface Draft {
  operation: Operation
  values: Values
  /** for operations that take bytes */
  file: File | undefined
  /** for operations that take bytes, when there is no file */
  text: string
  /** the body as written by hand, instead of the fields */
  json: string | undefined
}

export interface Wire {
  /** below `/service/{name}` */
  path: string
  method: string
  headers: Record<string, string>
  body: BodyInit | undefined
}

/** What keeps a draft from being sent: which field, and in which words. */
export class DraftError extends Error {
  override readonly name = 'DraftError'
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

/** @throws {DraftError} */
export function wireOf(draft: Draft): Wire {
  const { operation, values } = draft
  for (const field of operation.fields) {
    if (field.required && (field.in !== 'body' || draft.json == null) && isEmpty(values[field.name]))
      throw new DraftError(field.name, `${field.label} is needed.`)
  }
  return { path: pathOf(operation, values), method: operation.method, ...bodyOf(draft) }
}

function pathOf({ path, fields }: Operation, values: Values): string {
  const query = new URLSearchParams()
  let filled = path
  for (const field of fields) {
    const value = values[field.name]
    if (field.in === 'body' || isEmpty(value)) continue
    if (field.in === 'path') filled = filled.replace(`{${field.name}}`, encodeURIComponent(String(value)))
    else for (const one of Array.isArray(value) ? value : [String(value)]) query.append(field.name, one)
  }
  return query.size === 0 ? filled : `${filled}?${query}`
}

function bodyOf({ operation, values, file, text, json }: Draft): Pick<Wire, 'headers' | 'body'> {
  if (operation.body === 'none') return { headers: {}, body: undefined }
  if (operation.body === 'any') {
    if (file != null) {
      if (file.size === 0) throw new DraftError('file', `${file.name} is empty, or is a folder. Choose another file.`)
      const name = `inline; filename*=UTF-8''${encodeURIComponent(file.name)}`
      return {
        headers: { 'content-type': file.type || 'application/octet-stream', 'content-disposition': name },
        body: file
      }
    }
    if (text.trim() === '') throw new DraftError('file', 'Choose a file first.')
    const type = /^\s*[[{]/.test(text) && isJson(text) ? 'application/json' : 'text/plain; charset=utf-8'
    return { headers: { 'content-type': type }, body: text }
  }
  return { headers: { 'content-type': 'application/json' }, body: json ?? JSON.stringify(jsonOf(operation, values)) }
}

/** The fields as the JSON that is sent; what is empty is left out. */
export function jsonOf({ fields }: Operation, values: Values): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const field of fields) {
    const value = values[field.name]
    if (field.in === 'body' && !isEmpty(value)) body[field.name] = sendable(field, value)
  }
  return body
}

function sendable(field: Field, value: FieldValue | undefined): unknown {
  if (typeof value !== 'string') return value
  switch (field.kind) {
    case 'integer':
    case 'number': {
      const number = Number(value)
      if (!Number.isFinite(number) || (field.kind === 'integer' && !Number.isInteger(number)))
        throw new DraftError(field.name, `${field.label} must be a ${field.kind === 'integer' ? 'whole ' : ''}number.`)
      return number
    }
    case 'json':
      return looseJson(field, value)
    default:
      return value
  }
}

/** A field of any shape takes JSON; words that are none are taken as a text. */
function looseJson(field: Field, value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    if (/^\s*[[{]/.test(value)) throw new DraftError(field.name, `${field.label} is not complete JSON.`)
    return value
  }
}

/** `false` is a value only where something else is the default. */
function isEmpty(value: FieldValue | undefined): boolean {
  return value == null || value === '' || (Array.isArray(value) && value.length === 0)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
