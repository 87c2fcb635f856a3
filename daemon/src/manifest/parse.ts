import { Ajv, type ErrorObject } from 'ajv'
import { checkDocument } from './check.ts'
import { MAX_ERRORS } from './constants.ts'
import { toManifest } from './convert.ts'
import type { ManifestError, ServiceManifest, Variables } from './index.ts'
import { type ManifestDocument, manifestSchema } from './schema.ts'
import { type FieldPath, Source } from './source.ts'
import { suggest } from './suggest.ts'

const ajv = new Ajv({ allErrors: true, verbose: true, coerceTypes: false, removeAdditional: false, useDefaults: false })
const isManifestDocument = ajv.compile<ManifestDocument>(manifestSchema)

export interface ParseOptions {
  /** for the errors */
  file: string
  /** where a process runs */
  folder: string
  env: Variables
}

/** @returns the manifest, or all that is wrong with it */
export function parseManifest(text: string, options: ParseOptions): ServiceManifest | ManifestError[] {
  const source = Source.parse(options.file, text)
  if (Array.isArray(source)) return source
  const document: unknown = source.value
  if (!isManifestDocument(document)) {
    return describe(source, isManifestDocument.errors ?? []).slice(0, MAX_ERRORS)
  }
  const errors = checkDocument(document).map(({ path, message }) => source.error(path, message))
  if (errors.length > 0) return errors.slice(0, MAX_ERRORS)
  const converted = toManifest(document, options)
  if (!Array.isArray(converted)) return converted
  return converted.slice(0, MAX_ERRORS).map(({ path, message }) => source.error(path, message))
}

function describe(source: Source, errors: ErrorObject[]): ManifestError[] {
  const described = new Map<string, ManifestError>()
  const unknown = new Set(errors.filter(({ keyword }) => keyword === 'additionalProperties').map(e => e.instancePath))
  for (const error of errors) {
    // Too few or too many fields: of no interest where one of them is unknown.
    if (/^(min|max)Properties$/.test(error.keyword) && unknown.has(error.instancePath)) continue
    const { path, message } = explain(error)
    const key = JSON.stringify(path)
    // A union says the same of each of its members; the first is enough.
    if (!described.has(key)) described.set(key, source.error(path, message))
  }
  return [...described.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

function explain(error: ErrorObject): { path: FieldPath; message: string } {
  const { keyword, params, parentSchema, data } = error
  const path = pathOf(error)
  const found = show(data)
  switch (keyword) {
    case 'additionalProperties': {
      const field = String(params.additionalProperty)
      if (parentSchema?.patternProperties != null) {
        return { path: [...path, field], message: 'is not a name that a variable can have' }
      }
      const known = Object.keys(parentSchema?.properties ?? {})
      const meant = suggest(field, known)
      const hint = meant == null ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`
      return { path: [...path, field], message: `is not a field of a manifest; ${hint}` }
    }
    case 'required': {
      const field = String(params.missingProperty)
      const description: unknown = parentSchema?.properties?.[field]?.description
      const expected = typeof description === 'string' ? `; expected ${description}` : ''
      return { path: [...path, field], message: `is missing${expected}` }
    }
    case 'enum':
      return { path, message: `must be one of ${params.allowedValues.join(', ')}, but is ${found}` }
    case 'type':
    case 'anyOf': {
      const expected = keyword === 'anyOf' ? 'a text, a number or a yes/no' : article(String(params.type))
      const hint = params.type === 'string' && typeof data === 'number' ? '; put it in quotes' : ''
      return { path, message: `must be ${expected}${about(parentSchema)}, but is ${found}${hint}` }
    }
    case 'pattern':
      return { path, message: `must be ${descriptionOf(parentSchema) ?? `like ${params.pattern}`}, but is ${found}` }
    case 'minProperties':
    case 'maxProperties':
      return { path, message: `must be ${descriptionOf(parentSchema) ?? error.message}` }
    default:
      return { path, message: `${error.message ?? 'is wrong'}${about(parentSchema)}, but is ${found}` }
  }
}

function pathOf({ instancePath }: ErrorObject): FieldPath {
  const steps = instancePath.split('/').slice(1)
  return steps.map(step => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')))
}

const article = (type: string): string =>
  ({
    string: 'a text',
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a set of fields'
  })[type] ?? type

const descriptionOf = (schema: Record<string, unknown> | undefined): string | undefined =>
  typeof schema?.description === 'string' ? schema.description : undefined

const about = (schema: Record<string, unknown> | undefined): string => {
  const description = descriptionOf(schema)
  return description == null ? '' : ` (${description})`
}

/** What was found, short enough for one line. */
function show(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object') return 'a set of fields'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}
