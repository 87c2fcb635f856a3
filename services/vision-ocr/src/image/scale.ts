import { MAX_READ_PIXELS, MAX_READ_SIDE } from '../limits.ts'
import type { Size } from './placement.ts'

/** pixels; of smaller letters more are misread: of small print at 120 dpi every tenth */
const SMALL = 20
/** what they are enlarged to; more gains nothing */
const ENLARGED = 24
/** pixels; larger letters only take longer */
const LARGE = 48
const REDUCED = 36
const MOST = 4

/**
 * How much a picture is scaled before it is read.
 *
 * @param letters the height of most of its letters in pixels, where it has some
 */
export function readingScale({ width, height }: Size, letters: number | undefined): number {
  const most = Math.min(Math.sqrt(MAX_READ_PIXELS / (width * height)), MAX_READ_SIDE / Math.max(width, height))
  return Math.min(wanted(letters), most)
}

function wanted(letters: number | undefined): number {
  if (letters == null) return 1
  if (letters < SMALL) return Math.min(MOST, ENLARGED / letters)
  return letters > LARGE ? REDUCED / letters : 1
}
