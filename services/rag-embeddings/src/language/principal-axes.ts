/** Mean and principal axes of weighted vectors, by Jacobi rotations: small, exact enough, no dependency. */
export interface Axes {
  mean: Float64Array
  /** by falling variance */
  axes: { variance: number; direction: Float64Array }[]
}

const SWEEPS = 30
const NEGLIGIBLE = 1e-14

/**
 * @param vectors one after the other
 * @param weight of the vector with this number
 */
export function principalAxes(vectors: Float32Array, dimensions: number, weight: (n: number) => number): Axes {
  const count = vectors.length / dimensions
  const mean = new Float64Array(dimensions)
  let total = 0
  for (let n = 0; n < count; n++) {
    total += weight(n)
    for (let k = 0; k < dimensions; k++) mean[k] = at(mean, k) + weight(n) * at(vectors, n * dimensions + k)
  }
  for (let k = 0; k < dimensions; k++) mean[k] = at(mean, k) / total

  const covariance = new Float64Array(dimensions * dimensions)
  const centred = new Float64Array(dimensions)
  for (let n = 0; n < count; n++) {
    for (let k = 0; k < dimensions; k++) centred[k] = at(vectors, n * dimensions + k) - at(mean, k)
    for (let a = 0; a < dimensions; a++) {
      const share = (weight(n) / total) * at(centred, a)
      for (let b = 0; b < dimensions; b++) {
        covariance[a * dimensions + b] = at(covariance, a * dimensions + b) + share * at(centred, b)
      }
    }
  }
  return { mean, axes: eigenvectors(covariance, dimensions) }
}

function eigenvectors(matrix: Float64Array, size: number): Axes['axes'] {
  const turned = new Float64Array(size * size)
  for (let i = 0; i < size; i++) turned[i * size + i] = 1
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let rotations = 0
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const off = at(matrix, p * size + q)
        if (Math.abs(off) < NEGLIGIBLE) continue
        rotations++
        const theta = (at(matrix, q * size + q) - at(matrix, p * size + p)) / (2 * off)
        const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
        const cosine = 1 / Math.sqrt(tangent * tangent + 1)
        const sine = tangent * cosine
        for (let k = 0; k < size; k++) rotate(matrix, k * size + p, k * size + q, cosine, sine)
        for (let k = 0; k < size; k++) rotate(matrix, p * size + k, q * size + k, cosine, sine)
        for (let k = 0; k < size; k++) rotate(turned, k * size + p, k * size + q, cosine, sine)
      }
    }
    if (rotations === 0) break
  }
  return Array.from({ length: size }, (_, i) => ({
    variance: at(matrix, i * size + i),
    direction: Float64Array.from({ length: size }, (_, k) => at(turned, k * size + i))
  })).sort((a, b) => b.variance - a.variance)
}

function rotate(values: Float64Array, i: number, j: number, cosine: number, sine: number): void {
  const a = at(values, i)
  const b = at(values, j)
  values[i] = cosine * a - sine * b
  values[j] = sine * a + cosine * b
}

/** Typed arrays have no holes; this says so to the compiler, and engines inline it. */
function at(values: Float32Array | Float64Array, i: number): number {
  return values[i] ?? 0
}
