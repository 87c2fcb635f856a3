import type { GreyImage } from '@hedgerow/service-kit/pdf'
import { FONTS, rasterise, type Style, setPage } from './pages.ts'
import { png, type ScanOptions, scan } from './scan.ts'

/** Pages that the settings of the service were not chosen on: other texts, other faces, other noise. */
const PAGES: Array<{ text: string; style: Style; skew: number }> = [
  { text: 'letter', style: { font: FONTS.arimo, size: 11 }, skew: 1.4 },
  { text: 'letter', style: { font: FONTS.tinos, size: 11, margin: 56 }, skew: -2.2 },
  { text: 'statement', style: { font: FONTS.carlito, size: 11 }, skew: -0.7 },
  { text: 'statement', style: { font: FONTS.helvetica, size: 10 }, skew: 1.8 },
  { text: 'notice', style: { font: FONTS.tinos, size: 10.5, columns: { count: 2, height: 440 } }, skew: 0.5 },
  { text: 'form', style: { font: FONTS.courierPrime, size: 11 }, skew: -1.1 },
  { text: 'form', style: { font: FONTS.carlito, size: 11.5 }, skew: 2.6 },
  { text: 'terms', style: { font: FONTS.arimo, size: 9 }, skew: -1.6 },
  { text: 'terms', style: { font: FONTS.times, size: 10 }, skew: 0.9 }
]

export interface HeldOutPage {
  name: string
  truth: string
  /** at 300 dpi, as a screenshot or a good scan has it */
  clean: Buffer
  /** what a hurried scan at 150 dpi makes of it */
  noisy: Buffer
}

export async function* heldOutPages(): AsyncGenerator<HeldOutPage> {
  for (const [index, { text, style, skew }] of PAGES.entries()) {
    const { truth, pdf } = await setPage(text, style)
    const page = await rasterise(pdf, 300)
    yield {
      name: `${text}, ${style.font.regular.replace(/^.*files\//, '').replace(/-latin.*/, '')} ${style.size}`,
      truth,
      clean: await png(page),
      noisy: await noisyScan(page, { skew, seed: 100 + index })
    }
  }
}

export function noisyScan(page: GreyImage, options: Pick<ScanOptions, 'skew' | 'seed'>): Promise<Buffer> {
  return scan(page, { dpi: 150, noise: 10, blur: 0.6, quality: 70, ...options })
}
