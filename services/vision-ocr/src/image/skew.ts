/** Where a letter stands, in pixels. */
export interface Point {
  x: number
  y: number
}

export interface Skew {
  /** degrees clockwise by which the lines fall */
  angle: number
  /** how much the points gather on lines at that angle */
  score: number
}

/** degrees */
const LARGEST = 15
const STEPS = [0.5, 0.1, 0.02]
/** lines must stand out this much more at the best angle than at none, or what was found is chance */
const GAIN = 1.5
/** more would only cost time */
const MOST_POINTS = 20_000

/**
 * The angle of lines of text, from the places where their letters stand. Seen along the lines these gather on
 * baselines, so the profile of the points, taken at each of many angles, is steepest at the right one (Postl's method).
 */
export function findSkew(all: Point[]): Skew {
  const stride = Math.ceil(all.length / MOST_POINTS)
  const points = all.filter((_, i) => i % stride === 0)
  const none = { angle: 0, score: steepness(points, 0) }
  let best = none
  let reach = LARGEST
  for (const step of STEPS) {
    const centre = best.angle
    for (let i = -Math.round(reach / step); i <= Math.round(reach / step); i++) {
      const angle = centre + i * step
      const score = steepness(points, angle)
      if (score > best.score) best = { angle, score }
    }
    reach = step
  }
  return best.score > GAIN * none.score ? best : none
}

/** Squares of the differences between neighbours, so that a crowd counts for more than as many single points. */
function steepness(points: Point[], degrees: number): number {
  const slope = Math.tan((degrees * Math.PI) / 180)
  const heights = Float64Array.from(points, ({ x, y }) => Math.round(y - x * slope))
  let [lowest, highest] = [0, 0]
  for (const value of heights) {
    if (value < lowest) lowest = value
    if (value > highest) highest = value
  }
  const bins = new Uint32Array(highest - lowest + 2)
  for (const value of heights) bins[value - lowest] = (bins[value - lowest] ?? 0) + 1
  let score = 0
  let before = 0
  for (const count of bins) {
    score += (count - before) ** 2
    before = count
  }
  return score
}
