/** One byte a pixel, 255 is white. */
export interface Grey {
  width: number
  height: number
  data: Uint8Array
}

/** One byte a pixel, 1 is ink. */
export interface Bitmap {
  width: number
  height: number
  ink: Uint8Array
}

/**
 * Parts ink from paper at the threshold that parts the histogram best (Otsu's method). What there is less of is the
 * ink, so that white letters on black are ink, too.
 */
export function binarise(grey: Grey): Bitmap {
  const { width, height, data } = grey
  const threshold = otsu(data)
  let dark = 0
  for (const value of data) if (value <= threshold) dark++
  const inkIsDark = dark * 2 <= data.length
  const ink = new Uint8Array(data.length)
  for (let i = 0; i < ink.length; i++) ink[i] = (data[i] ?? 255) <= threshold === inkIsDark ? 1 : 0
  return { width, height, ink }
}

function otsu(data: Uint8Array): number {
  const histogram = new Float64Array(256)
  let sum = 0
  for (const value of data) {
    histogram[value] = (histogram[value] ?? 0) + 1
    sum += value
  }
  let best = { threshold: 127, between: 0 }
  let dark = 0
  let darkSum = 0
  for (let threshold = 0; threshold < 255; threshold++) {
    const count = histogram[threshold] ?? 0
    dark += count
    darkSum += threshold * count
    const light = data.length - dark
    if (dark === 0 || light === 0) continue
    const distance = darkSum / dark - (sum - darkSum) / light
    const between = dark * light * distance * distance
    if (between > best.between) best = { threshold, between }
  }
  return best.threshold
}
