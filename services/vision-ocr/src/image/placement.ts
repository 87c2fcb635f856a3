export interface Size {
  width: number
  height: number
}

/** Where a picture's pixels went when it was turned and scaled to be read. */
export interface Placement {
  /** degrees clockwise that it was turned, about its middle */
  turned: number
  scale: number
  before: Size
  after: Size
}

/** In pixels from the top left; `x1` and `y1` lie outside. */
export interface Box {
  x0: number
  y0: number
  x1: number
  y1: number
}

/** What turns and scales: for column vectors, with y pointing down. */
export function matrix(turned: number, scale: number): [[number, number], [number, number]] {
  const radians = (turned * Math.PI) / 180
  const [cos, sin] = [Math.cos(radians) * scale, Math.sin(radians) * scale]
  return [
    [cos, -sin],
    [sin, cos]
  ]
}

/** The box, in the picture as it was, around a box in the picture as it was read. */
export function boxBefore(box: Box, { turned, scale, before, after }: Placement): Box {
  const [[a, b], [c, d]] = matrix(-turned, 1 / scale)
  const xs: number[] = []
  const ys: number[] = []
  for (const x of [box.x0 - after.width / 2, box.x1 - after.width / 2]) {
    for (const y of [box.y0 - after.height / 2, box.y1 - after.height / 2]) {
      xs.push(within(a * x + b * y + before.width / 2, before.width))
      ys.push(within(c * x + d * y + before.height / 2, before.height))
    }
  }
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) }
}

function within(value: number, most: number): number {
  return Math.max(0, Math.min(most, Math.round(value)))
}
