import type { SQLOutputValue } from 'node:sqlite'

/** Columns as what they are declared to be; anything else means that the file isn't ours. */
export type Row = Record<string, SQLOutputValue>

export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw new TypeError(`column ${column} holds ${typeof value}, not text`)
}

export function optionalText(row: Row, column: string): string | undefined {
  return row[column] == null ? undefined : text(row, column)
}

export function integer(row: Row, column: string): number {
  const value = row[column]
  if (typeof value === 'number' && Number.isInteger(value)) return value
  throw new TypeError(`column ${column} holds ${typeof value}, not an integer`)
}

export function real(row: Row, column: string): number {
  const value = row[column]
  if (typeof value === 'number') return value
  throw new TypeError(`column ${column} holds ${typeof value}, not a number`)
}
