import fc from 'fast-check'

/** Bytes beyond which inputs don't grow: more than any bound of a decoder that is worth going over. */
export const MAX_INPUT = 160 * 1024

const EDGES = [
  '0',
  '-1',
  '00',
  '255',
  '256',
  '65536',
  '2147483648',
  '4294967295',
  '18446744073709551616',
  '1e309',
  'NaN'
]
const BREAKERS = [
  '\0',
  '\r\n',
  '\n\n',
  '\r\n\r\n',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '/',
  '..',
  '%00',
  '%2e',
  ';',
  '=',
  '__proto__',
  'constructor',
  '\u202e',
  '\ud800',
  'ﬀ',
  '𝕏',
  'null',
  'true'
]
/** What protobuf, varints and frames stumble over. */
const RAW = [
  [0xff],
  [0x80],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  Array(10).fill(0xff),
  [0, 0, 0, 0],
  [0x0a, 0xff, 0x7f],
  [0x0b]
]

interface Change {
  kind: 'flip' | 'insert' | 'word' | 'cut' | 'repeat' | 'swap' | 'truncate' | 'fill'
  at: number
  size: number
  bytes: Uint8Array
}

/** Honest inputs, changed here and there, and bytes of no meaning now and then. */
export function inputs(seeds: readonly Uint8Array[], words: readonly string[]): fc.Arbitrary<Uint8Array> {
  const known = [...EDGES, ...BREAKERS, ...words].map(word => new TextEncoder().encode(word))
  const pieces = [...known, ...RAW.map(raw => Uint8Array.from(raw))]
  const change = fc.record<Change>({
    kind: fc.constantFrom('flip', 'insert', 'word', 'word', 'cut', 'repeat', 'swap', 'truncate', 'fill'),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    size: fc.oneof({ weight: 8, arbitrary: fc.nat(16) }, { weight: 1, arbitrary: fc.nat(40_000) }),
    bytes: fc.oneof(fc.constantFrom(...pieces), fc.uint8Array({ minLength: 1, maxLength: 8 }))
  })
  const changed = fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { maxLength: 8 }))
    .map(([seed, changes]) => changes.reduce(apply, seed))
  return seeds.length === 0
    ? fc.uint8Array({ maxLength: 512 })
    : fc.oneof({ weight: 20, arbitrary: changed }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 512 }) })
}

function apply(input: Uint8Array, { kind, at, size, bytes }: Change): Uint8Array {
  const start = Math.floor(at * (input.length + 1))
  const before = input.subarray(0, start)
  const after = input.subarray(start)
  switch (kind) {
    case 'flip': {
      const flipped = Uint8Array.from(input)
      if (start < flipped.length) flipped[start] = (flipped[start] ?? 0) ^ (1 << (size % 8))
      return flipped
    }
    case 'insert':
    case 'word':
      return join(before, bytes, after)
    case 'cut':
      return join(before, after.subarray(size))
    case 'repeat': {
      const piece = after.subarray(0, 1 + (size % 64))
      return join(before, ...Array.from({ length: 1 + (size % 50) }, () => piece), after)
    }
    case 'swap':
      return join(after, before)
    case 'truncate':
      return before
    case 'fill':
      return join(before, new Uint8Array(size).fill(bytes[0] ?? 0), after)
  }
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts).subarray(0, MAX_INPUT))
}
