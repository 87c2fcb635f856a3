import { ServiceError } from '@hedgerow/service-kit'
import sharp, { type Sharp } from 'sharp'
import { MAX_PIXELS } from '../limits.ts'
import type { Grey } from './bitmap.ts'
import type { Layout } from './layout.ts'
import { matrix, type Placement, type Size } from './placement.ts'
import { readingScale } from './scale.ts'

// nothing is kept of a client's papers
sharp.cache(false)

/** pixels of the longer side: about 150 dpi of A4, where letters still have shapes and noise is averaged out */
const MEASURED_SIDE = 1800
/** degrees; turning blurs a little, and so little skew is read as well */
const STRAIGHT = 0.08
const WHITE = '#fff'
/** only headers are read, and their sizes checked here */
const HEADERS = { limitInputPixels: false }

/** A page in grey that Tesseract can read, and where its pixels were before. */
export interface Prepared {
  image: Grey
  placement: Placement
}

/** A page as it came: part of an encoded picture, or already pixels. */
export type PageSource = { encoded: Uint8Array; page: number } | { pixels: Grey }

/**
 * How many pictures a file holds, from its headers alone.
 *
 * @throws {ServiceError} 422 where it is damaged
 */
export async function countPictures(encoded: Uint8Array): Promise<number> {
  const { pages = 1 } = await decoded(sharp(encoded, HEADERS).metadata())
  return pages
}

/**
 * Turns a page so that its lines run level and scales it so that its letters are large enough.
 *
 * @param measure finds how the text lies
 * @throws {ServiceError} 413 where it would unpack to more than is allowed, 422 where it is damaged
 */
export async function prepare(source: PageSource, measure: (grey: Grey) => Promise<Layout>): Promise<Prepared> {
  const before = await sizeOf(source)
  const small = await grey(
    open(source).resize({ width: MEASURED_SIDE, height: MEASURED_SIDE, fit: 'inside', withoutEnlargement: true })
  )
  const { angle, letters } = await measure(small)
  const ratio = Math.max(before.width, before.height) / Math.max(small.width, small.height)
  const scale = readingScale(before, letters == null ? undefined : letters * ratio)
  const turned = Math.abs(angle) < STRAIGHT ? 0 : -angle

  const scaled = (side: number): number => Math.max(1, Math.round(side * scale))
  // both sides are named: of a strip one pixel wide, the width says nothing about the height
  const reduced =
    scale < 1
      ? open(source).resize({ width: scaled(before.width), height: scaled(before.height), fit: 'fill' })
      : open(source)
  const image = await grey(turn(reduced, turned, Math.max(1, scale)))
  return { image, placement: { turned, scale, before, after: { width: image.width, height: image.height } } }
}

function turn(picture: Sharp, turned: number, scale: number): Sharp {
  if (turned === 0 && scale === 1) return picture
  return picture.affine(matrix(turned, scale), { background: WHITE, interpolator: 'bicubic' })
}

async function sizeOf(source: PageSource): Promise<Size> {
  if ('pixels' in source) return source.pixels
  const { autoOrient } = await decoded(sharp(source.encoded, { ...HEADERS, page: source.page }).metadata())
  const { width, height } = autoOrient
  if (width * height <= MAX_PIXELS) return { width, height }
  throw new ServiceError(
    413,
    'ImageTooLarge',
    `the picture has ${width} x ${height} pixels and may have ${MAX_PIXELS} at most; a page needs 300 dpi`
  )
}

/** The page the way up that its camera says, in grey on white. */
function open(source: PageSource): Sharp {
  if ('pixels' in source) {
    const { width, height, data } = source.pixels
    return sharp(data, { raw: { width, height, channels: 1 } })
  }
  return sharp(source.encoded, { page: source.page, limitInputPixels: MAX_PIXELS, failOn: 'error' })
    .autoOrient()
    .flatten({ background: WHITE })
    .greyscale()
}

async function grey(picture: Sharp): Promise<Grey> {
  const { data, info } = await decoded(
    picture.toColourspace('b-w').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  )
  return { width: info.width, height: info.height, data }
}

async function decoded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (err) {
    throw new ServiceError(422, 'CorruptImage', 'the picture is damaged or cut short', {}, err)
  }
}
