import { binarise, type Grey } from './bitmap.ts'
import { type Component, components } from './components.ts'
import { findSkew } from './skew.ts'

/** How the text of a picture lies. */
export interface Layout {
  /** degrees clockwise by which the lines fall; near 90 for a page that lies on its side */
  angle: number
  /** the height of most letters in pixels, where there are some */
  letters: number | undefined
}

/** pixels; smaller specks are noise */
const SMALLEST = 4
/** of its height; wider than a word is a rule, narrower than a stroke a frame's side */
const WIDEST = 12
const NARROWEST = 0.08
/** of the letters' height; beyond these are headings, pictures, dots */
const LETTERS = { least: 0.6, most: 2.5 }
/** fewer say nothing of a page */
const FEWEST = 12
/** lines must be seen this much more clearly from the side before a page is taken to lie on it */
const ON_ITS_SIDE = 1.5

export function layout(grey: Grey): Layout {
  const shapes = components(binarise(grey)).filter(mayBeLetter)
  const letters = median(shapes.map(height))
  if (letters == null || shapes.length < FEWEST) return { angle: 0, letters: undefined }
  const kept = shapes.filter(shape => {
    const ratio = Math.min(height(shape), width(shape)) / letters
    return ratio <= LETTERS.most && height(shape) >= LETTERS.least * letters
  })
  const upright = findSkew(kept.map(({ left, right, bottom }) => ({ x: (left + right) / 2, y: bottom })))
  // lines that run down the page have their feet on the left, lines that run up on the right
  const [down, up] = [
    findSkew(kept.map(({ left, top, bottom }) => ({ x: (top + bottom) / 2, y: left }))),
    findSkew(kept.map(({ right, top, bottom }) => ({ x: (top + bottom) / 2, y: right })))
  ]
  const sideways = down.score > up.score ? down : up
  // what falls clockwise in the mirror falls the other way in the picture
  return sideways.score > ON_ITS_SIDE * upright.score
    ? { angle: 90 - sideways.angle, letters: median(kept.map(width)) }
    : { angle: upright.angle, letters }
}

function mayBeLetter(shape: Component): boolean {
  const [short, long] = [height(shape), width(shape)].sort((a, b) => a - b)
  return short != null && long != null && long >= SMALLEST && long <= WIDEST * short && short >= NARROWEST * long
}

function height({ top, bottom }: Component): number {
  return bottom - top
}

function width({ left, right }: Component): number {
  return right - left
}

function median(values: number[]): number | undefined {
  return values.sort((a, b) => a - b)[values.length >> 1]
}
