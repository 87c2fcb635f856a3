/** What a JSON Schema validator finds wrong with one place of an input. */
export interface Fault {
  keyword: string
  /** a JSON pointer; empty for the whole */
  instancePath: string
  params: object
  message?: string | undefined
}

/** What is wrong at one place of an input, for people. */
export interface InputError {
  /** a JSON pointer */
  path: string
  /** as in `must be a string` */
  message: string
}

/** What must hold at each place that a validator objects to, in words. */
export function inputErrors(faults: readonly Fault[]): InputError[] {
  const places = Map.groupBy(faults, ({ instancePath }) => instancePath)
  return [...places].flatMap(([path, at]) => {
    const message = expectation(at)
    return message === '' ? [] : [{ path, message }]
  })
}

/**
 * The worst of them in one sentence that names the field. Of a value that fits none of several shapes, what is wrong
 * furthest inside says most: there it came nearest to one of them.
 *
 * @param where said of what is no field of a body, as in `the query string: `
 */
export function describeFaults(faults: readonly Fault[], where = ''): string {
  const [first, ...others] = inputErrors(faults)
  if (first == null) return `${where}the input does not fit what this operation takes`
  const depth = ({ path }: InputError): number => path.split('/').length
  const worst = others.reduce((most, one) => (depth(one) > depth(most) ? one : most), first)
  const whole = where === '' ? 'the body' : 'the parameters'
  return `${where}${fieldName(worst.path) || whole} ${worst.message}`
}

/** `/client/name` is `client.name`, `/texts/0` is `texts[0]`. */
function fieldName(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, i) => (/^\d+$/.test(part) && i > 0 ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('')
}

const TYPES: Record<string, string> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null'
}

/** All that is expected at one place. Several types, values or fields are the choices of a union. */
function expectation(faults: readonly Fault[]): string {
  const choices = new Set<string>()
  const values = new Set<string>()
  const fields = new Set<string>()
  const others: string[] = []
  for (const fault of faults) {
    const { type, allowedValue, allowedValues, requiredProperties, limit, additionalProperties, pattern } =
      paramsOf(fault)
    switch (fault.keyword) {
      case 'anyOf':
      case 'oneOf':
        break
      case 'type':
        choices.add(TYPES[String(type)] ?? String(type))
        break
      case 'const':
        values.add(JSON.stringify(allowedValue))
        break
      case 'enum':
        for (const value of listOf(allowedValues)) values.add(JSON.stringify(value))
        break
      case 'required':
        fields.add(allOf(listOf(requiredProperties)))
        break
      case 'additionalProperties':
        others.push(`must not have ${allOf(listOf(additionalProperties))}`)
        break
      case 'pattern':
        others.push(`must match ${pattern}`)
        break
      default:
        others.push(limited(fault.keyword, limit) ?? fault.message ?? 'is wrong')
    }
  }
  if (values.size > 0) choices.add(values.size === 1 ? [...values].join('') : `one of ${[...values].join(', ')}`)
  const said = [...new Set(others)]
  if (choices.size > 0) said.unshift(`must be ${[...choices].join(' or ')}`)
  if (fields.size > 0) said.push(`must have ${[...fields].join(', or ')}`)
  return said.join(' and ')
}

function limited(keyword: string, limit: unknown): string | undefined {
  const counted = (things: string): string => `${limit} ${limit === 1 ? things.replace(/s$/, '') : things}`
  switch (keyword) {
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have ${counted('characters')} at least`
    case 'maxLength':
      return `must have ${counted('characters')} at most`
    case 'minItems':
      return limit === 1 ? 'must not be empty' : `must have ${counted('items')} at least`
    case 'maxItems':
      return `must have ${counted('items')} at most`
    case 'minimum':
      return `must be ${limit} or more`
    case 'maximum':
      return `must be ${limit} or less`
    default:
      return undefined
  }
}

function paramsOf({ params }: Fault): Record<string, unknown> {
  return { ...params }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

const allOf = (names: unknown[]): string => names.map(name => `"${name}"`).join(' and ')
