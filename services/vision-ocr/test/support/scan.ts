import type { GreyImage } from '@hedgerow/service-kit/pdf'
import sharp from 'sharp'
import { randomNumbers } from './random.ts'

export interface ScanOptions {
  dpi: number
  /** degrees, clockwise */
  skew: number
  /** standard deviation of the noise, in grey levels */
  noise: number
  /** sigma of the optics' blur, in pixels of the scan */
  blur: number
  /** quality of the JPEG that the scanner makes, 1 to 100 */
  quality: number
  seed: number
}

const PAPER = 246
const INK = 34

/** What an office scanner makes of a page that lies askew on its glass; the same page gives the same bytes. */
export async function scan(page: GreyImage, options: ScanOptions): Promise<Buffer> {
  const { data, info } = await sharp(page.data, { raw: { width: page.width, height: page.height, channels: 1 } })
    .rotate(options.skew, { background: '#fff' })
    .resize({ width: Math.round((page.width * options.dpi) / page.dpi) })
    .blur(options.blur)
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const gauss = normals(options.seed)
  for (let i = 0; i < data.length; i++) {
    const grey = INK + ((data[i] ?? 0) / 255) * (PAPER - INK)
    data[i] = Math.max(0, Math.min(255, Math.round(grey + gauss() * options.noise)))
  }
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 1 } })
    .withMetadata({ density: options.dpi })
    .jpeg({ quality: options.quality })
    .toBuffer()
}

export async function png(page: GreyImage): Promise<Buffer> {
  return sharp(page.data, { raw: { width: page.width, height: page.height, channels: 1 } })
    .withMetadata({ density: page.dpi })
    .png()
    .toBuffer()
}

/** Normally distributed numbers (Box-Muller). */
function normals(seed: number): () => number {
  const uniform = randomNumbers(seed)
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}
