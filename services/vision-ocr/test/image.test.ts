import assert from 'node:assert/strict'
import sharp from 'sharp'
import type { Grey } from '../src/image/bitmap.ts'
import { components } from '../src/image/components.ts'
import { layout } from '../src/image/layout.ts'
import { prepare } from '../src/image/picture.ts'
import { boxBefore } from '../src/image/placement.ts'
import { readingScale } from '../src/image/scale.ts'
import { findSkew } from '../src/image/skew.ts'
import { FONTS, rasterise, setPage } from './support/pages.ts'
import { randomNumbers } from './support/random.ts'

describe('what is connected on a page', () => {
  const find = (...rows: string[]) => {
    const ink = Uint8Array.from(rows.join(''), character => (character === '#' ? 1 : 0))
    return components({ width: rows[0]?.length ?? 0, height: rows.length, ink })
  }

  it('is one where it touches, also at the corners and from below', () => {
    assert.deepEqual(find('#..#', '.##.', '....'), [{ left: 0, right: 4, top: 0, bottom: 2 }])
    assert.deepEqual(find('#.#.#', '#.#.#', '#####'), [{ left: 0, right: 5, top: 0, bottom: 3 }])
  })

  it('is several where it does not', () => {
    assert.deepEqual(find('#..#', '....', '.#..'), [
      { left: 0, right: 1, top: 0, bottom: 1 },
      { left: 3, right: 4, top: 0, bottom: 1 },
      { left: 1, right: 2, top: 2, bottom: 3 }
    ])
    assert.deepEqual(find('....'), [])
  })
})

describe('the angle of lines', () => {
  const lines = (degrees: number) => {
    const slope = Math.tan((degrees * Math.PI) / 180)
    return Array.from({ length: 900 }, (_, i) => {
      const [x, line] = [(i % 60) * 18, Math.floor(i / 60)]
      return { x, y: Math.round(line * 40 + x * slope) }
    })
  }

  for (const degrees of [-12, -2.4, -0.3, 0, 0.3, 5.1, 14]) {
    it(`is found at ${degrees} degrees`, () => {
      assert.ok(Math.abs(findSkew(lines(degrees)).angle - degrees) < 0.1)
    })
  }

  it('is none where points are scattered, or there are none', () => {
    const random = randomNumbers(7)
    for (const length of [20, 100, 1000]) {
      const scattered = Array.from({ length }, () => ({ x: random() * 1200, y: random() * 1700 }))
      assert.equal(findSkew(scattered).angle, 0)
    }
    assert.equal(findSkew([]).angle, 0)
  })
})

describe('the layout of a page', () => {
  let page: Grey
  before(async () => {
    const { pdf } = await setPage('statement', { font: FONTS.helvetica, size: 11 })
    page = await rasterise(pdf, 150)
  })

  const turned = async (degrees: number): Promise<Grey> => {
    const { data, info } = await sharp(page.data, { raw: { width: page.width, height: page.height, channels: 1 } })
      .rotate(degrees, { background: '#fff' })
      .toColourspace('b-w')
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, data }
  }

  it('is level where the page is, and tells the height of letters', () => {
    const { angle, letters } = layout(page)
    assert.equal(angle, 0)
    // x-height and capitals of 11 points at 150 dpi: 12 and 16.5 pixels
    assert.ok(letters != null && letters >= 11 && letters <= 17, `${letters}`)
  })

  for (const degrees of [-3, 1.5, 90, 270, 88.5, 271.5]) {
    it(`follows a page that was turned by ${degrees} degrees, up to upside down`, async () => {
      const { angle } = layout(await turned(degrees))
      const difference = (((angle - degrees) % 180) + 180) % 180
      assert.ok(Math.min(difference, 180 - difference) < 0.15, `${angle}`)
    })
  }

  it('is the same for white letters on black', () => {
    const inverted = { ...page, data: page.data.map(value => 255 - value) }
    assert.deepEqual(layout(inverted), layout(page))
  })

  it('says nothing of an empty page', () => {
    const empty = { width: 300, height: 300, data: new Uint8Array(90_000).fill(255) }
    assert.deepEqual(layout(empty), { angle: 0, letters: undefined })
  })
})

describe('the scale for reading', () => {
  const A4 = { width: 2480, height: 3508 }
  const small = { width: 620, height: 877 }
  const cases: Array<[string, number | undefined, number]> = [
    ['small letters are enlarged', 12, 2],
    ['tiny ones by no more than four times', 2, 4],
    ['letters of a usual size are left alone', 24, 1],
    ['large ones are reduced', 72, 0.5],
    ['a page without letters is left alone', undefined, 1]
  ]
  for (const [what, letters, scale] of cases) {
    it(what, () => assert.equal(readingScale(small, letters), scale))
  }

  it('never makes more pixels than may be read', () => {
    const scale = readingScale(A4, 6)
    assert.ok(scale * scale * A4.width * A4.height <= 20_000_001)
  })

  it('never makes a side longer than Tesseract reads', () => {
    for (const strip of [
      { width: 60_000, height: 1 },
      { width: 200, height: 60_000 }
    ]) {
      for (const letters of [undefined, 6, 24]) {
        assert.ok(readingScale(strip, letters) * Math.max(strip.width, strip.height) <= 30_000)
      }
    }
  })
})

describe('preparing a picture', () => {
  it('turns and scales about the middle, so that boxes lead back to where they were', async () => {
    // a mark of 40 x 20 pixels at (100, 60)
    const picture = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#fff' } })
      .composite([
        { input: { create: { width: 40, height: 20, channels: 3, background: '#000' } }, left: 100, top: 60 }
      ])
      .png()
      .toBuffer()
    for (const angle of [0, 4, -90, 93]) {
      const { image, placement } = await prepare({ encoded: picture, page: 0 }, async () => ({ angle, letters: 10 }))
      const dark = [...image.data.keys()].filter(i => (image.data[i] ?? 255) < 100)
      const xs = dark.map(i => i % image.width)
      const ys = dark.map(i => Math.floor(i / image.width))
      const found = { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs) + 1, y1: Math.max(...ys) + 1 }
      const { x0, y0, x1, y1 } = boxBefore(found, placement)
      const [middleX, middleY] = [(x0 + x1) / 2, (y0 + y1) / 2]
      assert.ok(Math.abs(middleX - 120) <= 1.5 && Math.abs(middleY - 70) <= 1.5, `${angle}: ${middleX}, ${middleY}`)
      assert.ok(x0 <= 101 && y0 <= 61 && x1 >= 139 && y1 >= 79, `${angle}`)
    }
  })
})
