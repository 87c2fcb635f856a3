/** A field of what somebody else sent; undefined when there is none. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value != null ? Reflect.get(value, name) : undefined
}
