/** A component of libp2p, of which some methods do something else. */
export function overriding<T extends object>(real: T, methods: Partial<T>): T {
  return new Proxy(real, {
    get(target, property) {
      const own: unknown = Reflect.get(methods, property)
      if (own != null) return own
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
