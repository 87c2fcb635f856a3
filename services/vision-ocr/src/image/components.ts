import type { Bitmap } from './bitmap.ts'

/** What is connected, by the box around it; `right` and `bottom` lie outside. */
export interface Component {
  left: number
  right: number
  top: number
  bottom: number
}

interface Run {
  start: number
  end: number
  label: number
}

/** Finds connected ink: the runs of each row, joined to the runs of the row above that they touch. */
export function components({ width, height, ink }: Bitmap): Component[] {
  const forest = new Forest()
  let above: Run[] = []
  for (let y = 0; y < height; y++) {
    const row: Run[] = []
    let next = 0
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] === 0) continue
      const start = x
      while (x < width && ink[y * width + x] === 1) x++
      const run = { start, end: x, label: forest.add({ left: start, right: x, top: y, bottom: y + 1 }) }
      while ((above[next]?.end ?? width) < start) next++
      for (let i = next; (above[i]?.start ?? width + 1) <= x; i++) forest.join(run.label, above[i]?.label ?? run.label)
      row.push(run)
    }
    above = row
  }
  return forest.trees()
}

/** Boxes that grow as they are found to be connected: a union-find forest. */
class Forest {
  readonly #parent: number[] = []
  readonly #boxes: Component[] = []

  add(box: Component): number {
    this.#parent.push(this.#parent.length)
    return this.#boxes.push(box) - 1
  }

  join(a: number, b: number): void {
    const [one, other] = [this.#root(a), this.#root(b)]
    if (one === other) return
    // the older one is the root: its box has the top
    const [root, child] = one < other ? [one, other] : [other, one]
    const [box, joining] = [this.#boxes[root], this.#boxes[child]]
    if (box == null || joining == null) return
    this.#parent[child] = root
    box.left = Math.min(box.left, joining.left)
    box.right = Math.max(box.right, joining.right)
    box.bottom = Math.max(box.bottom, joining.bottom)
  }

  trees(): Component[] {
    return this.#boxes.filter((_, label) => this.#parent[label] === label)
  }

  #root(label: number): number {
    let at = label
    for (let up = this.#up(at); up !== at; up = this.#up(at)) {
      const further = this.#up(up)
      this.#parent[at] = further
      at = further
    }
    return at
  }

  #up(label: number): number {
    return this.#parent[label] ?? label
  }
}
