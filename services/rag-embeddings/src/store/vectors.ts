/** The most of a signed byte. */
const MOST = 127

/**
 * A vector's direction in one byte for each number. Passages are kept and sent so, and have the same vector at every
 * holder; against a float's the cosine is off by less than 0.001.
 */
export function rounded(vector: Float32Array): Int8Array {
  const largest = vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return Int8Array.from(vector, x => (largest === 0 ? 0 : Math.round((x / largest) * MOST)))
}

/** One after the other, in base64; zeros where one is pending; undefined when all are. */
export function packVectors(vectors: readonly (Int8Array | undefined)[]): string | undefined {
  const dimensions = vectors.find(vector => vector != null)?.length
  if (dimensions == null) return undefined
  const bytes = Buffer.alloc(vectors.length * dimensions)
  for (const [i, vector] of vectors.entries()) {
    if (vector != null) bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, dimensions), i * dimensions)
  }
  return bytes.toString('base64')
}

/** What {@link packVectors} packed; none at all when there aren't as many. */
export function unpackVectors(packed: string, count: number, dimensions: number): (Int8Array | undefined)[] {
  const bytes = Buffer.from(packed, 'base64')
  if (bytes.length !== count * dimensions) return []
  return Array.from({ length: count }, (_, i) => {
    const vector = Int8Array.from(bytes.subarray(i * dimensions, (i + 1) * dimensions), byte => (byte << 24) >> 24)
    return vector.some(x => x !== 0) ? vector : undefined
  })
}
