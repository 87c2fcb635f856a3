/**
 * Bounds on what strangers send. Past these nothing is longer, greater or stranger than the types say.
 */
import { NAME_PATTERN } from '../ids/index.ts'

/** Bytes that are not what they claim to be. The message says which field; it is for the log, not for the sender. */
export class InvalidMessage extends Error {
  override readonly name = 'InvalidMessage'
}

const NAME = new RegExp(NAME_PATTERN)

export function checkName(field: string, value: string): string {
  if (!NAME.test(value))
    throw new InvalidMessage(`${field} is not a name (lower-case letters, digits, hyphens; at most 63)`)
  return value
}

export function checkText(field: string, value: string, max: number): string {
  if (value.length > max) throw new InvalidMessage(`${field} is longer than ${max} characters`)
  return value
}

export function checkNumber(field: string, value: number, min: number, max: number): number {
  if (!(value >= min && value <= max)) throw new InvalidMessage(`${field} is not between ${min} and ${max}`)
  return value
}

export function checkOneOf<T extends string>(field: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find(one => one === value)
  if (found == null) throw new InvalidMessage(`${field} is not one of ${allowed.join(', ')}`)
  return found
}

export function checkList<T, U>(
  field: string,
  values: readonly T[],
  max: number,
  check: (value: T, field: string) => U
): U[] {
  if (values.length > max) throw new InvalidMessage(`${field} has more than ${max} entries`)
  return values.map((value, i) => check(value, `${field}[${i}]`))
}
