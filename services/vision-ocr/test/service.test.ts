import assert from 'node:assert/strict'
import PDFDocument from 'pdfkit'
import sharp from 'sharp'
import { characterErrorRate } from './support/errors.ts'
import { claimedPng, emptyPagesPdf, type FaxCoding, faxPdf } from './support/files.ts'
import { FONTS, finish, type Page, rasterise, setPage } from './support/pages.ts'
import { png } from './support/scan.ts'
import { type RunningService, startService } from './support/service.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

describe('POST /recognize', function () {
  this.timeout(120_000)
  let service: RunningService
  let page: Page
  let picture: Buffer

  before(async () => {
    service = await startService({ OCR_WORKERS: '2' })
    page = await setPage('statement', { font: FONTS.arimo, size: 11 })
    picture = await png(await rasterise(page.pdf, 200))
  })
  after(() => service.stop())

  const post = async (body: Uint8Array | FormData | string, headers: Record<string, string> = {}) => {
    const sent = typeof body === 'string' || body instanceof FormData ? body : new Uint8Array(body)
    const response = await fetch(`${service.url}/recognize`, { method: 'POST', body: sent, headers })
    return { status: response.status, type: response.headers.get('content-type'), body: await response.json() }
  }
  const stats = async () => (await fetch(`${service.url}/stats`)).json()
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 20))
  }
  const isRead = (text: string): void => {
    const rate = characterErrorRate(text, page.truth)
    assert.ok(rate < 0.005, `${rate}`)
  }

  it('answers text, confidence, blocks and pages', async () => {
    const { status, body } = await post(picture, { 'content-type': 'image/png' })
    assert.equal(status, 200)
    isRead(body.text)
    assert.ok(body.confidence > 0.9 && body.confidence <= 1)
    assert.deepEqual(
      body.pages.map(({ page, width, height, turned }: Record<string, number>) => ({ page, width, height, turned })),
      [{ page: 1, width: 1653, height: 2338, turned: 0 }]
    )
    assert.equal(
      body.blocks
        .flatMap(({ lines }: { lines: Array<{ text: string }> }) => lines.map(({ text }) => text))
        .join(' ')
        .replace(/\s+/g, ' '),
      body.text.replace(/\s+/g, ' ')
    )
  })

  it('says where lines are in the picture as it came, also when it turned it', async () => {
    const straight = await post(picture)
    const askew = await post(
      await sharp(picture).flatten({ background: '#fff' }).rotate(3, { background: '#fff' }).png().toBuffer()
    )
    assert.ok(Math.abs(askew.body.pages[0].turned + 3) < 0.1)
    const middle = ({ body }: typeof straight, words: string) => {
      const lines: Array<{ text: string; bbox: Record<'x0' | 'y0' | 'x1' | 'y1', number> }> = body.blocks.flatMap(
        (block: { lines: unknown[] }) => block.lines
      )
      const line = lines.find(({ text }) => text.startsWith(words))
      assert.ok(line != null, words)
      const { width, height } = body.pages[0]
      return { x: (line.bbox.x0 + line.bbox.x1) / 2 - width / 2, y: (line.bbox.y0 + line.bbox.y1) / 2 - height / 2 }
    }
    for (const words of ['Thameside', 'Borrower', '15/10/2024', 'Please quote']) {
      const [was, is] = [middle(straight, words), middle(askew, words)]
      const [cos, sin] = [Math.cos(Math.PI / 60), Math.sin(Math.PI / 60)]
      assert.ok(Math.abs(was.x * cos - was.y * sin - is.x) < 12, words)
      assert.ok(Math.abs(was.x * sin + was.y * cos - is.y) < 12, words)
    }
  })

  it('gives the same answer for the same picture, whatever it read before', async () => {
    const first = await post(picture)
    await post(await png(await rasterise((await setPage('terms', { font: FONTS.tinos, size: 9 })).pdf, 150)))
    assert.deepEqual((await post(picture)).body, first.body)
  })

  describe('takes', () => {
    const forms: Array<[string, () => Promise<[Uint8Array | FormData | string, Record<string, string>?]>]> = [
      ['a body without a media type', async () => [picture]],
      ['what curl sends', async () => [picture, { 'content-type': 'application/x-www-form-urlencoded' }]],
      ['JPEG', async () => [await sharp(picture).jpeg().toBuffer(), { 'content-type': 'image/jpeg' }]],
      ['WebP', async () => [await sharp(picture).webp().toBuffer(), { 'content-type': 'image/webp' }]],
      ['GIF', async () => [await sharp(picture).gif().toBuffer(), { 'content-type': 'image/gif' }]],
      [
        'a fax as TIFF',
        async () => [
          await sharp(picture)
            .flatten({ background: '#fff' })
            .toColourspace('b-w')
            .threshold(160)
            .toColourspace('b-w')
            .tiff({ compression: 'ccittfax4', bitdepth: 1 })
            .toBuffer(),
          { 'content-type': 'image/tiff' }
        ]
      ],
      ['16 bits a channel', async () => [await sharp(picture).toColourspace('rgb16').png().toBuffer()]],
      ['four inks', async () => [await sharp(picture).toColourspace('cmyk').jpeg().toBuffer()]],
      ['white on black', async () => [await sharp(picture).negate({ alpha: false }).png().toBuffer()]],
      ['letters on nothing', async () => [await sharp(picture).toColourspace('srgb').ensureAlpha().png().toBuffer()]],
      [
        'a photograph taken sideways',
        async () => [await sharp(picture).rotate(270).withMetadata({ orientation: 6 }).jpeg().toBuffer()]
      ],
      ['a page on its side', async () => [await sharp(picture).rotate(90).png().toBuffer()]],
      ['a page upside down', async () => [await sharp(picture).rotate(180).png().toBuffer()]],
      ['PDF', async () => [page.pdf, { 'content-type': 'application/pdf' }]],
      [
        'a form',
        async () => {
          const form = new FormData()
          form.set('file', new Blob([new Uint8Array(picture)], { type: 'image/png' }), 'scan.png')
          return [form]
        }
      ],
      ['base64 in JSON', async () => [JSON.stringify({ image: picture.toString('base64') }), JSON_TYPE]],
      [
        'a data URL in JSON',
        async () => [JSON.stringify({ image: `data:image/png;base64,${picture.toString('base64')}` }), JSON_TYPE]
      ]
    ]
    for (const [what, make] of forms) {
      it(what, async () => {
        const { status, body } = await post(...(await make()))
        assert.equal(status, 200, body.detail)
        isRead(body.text)
      })
    }

    for (const coding of ['CCITTFaxDecode', 'JBIG2Decode'] satisfies FaxCoding[]) {
      it(`a scan in PDF, coded as ${coding}`, async () => {
        const { status, body } = await post(await faxPdf(picture, coding))
        assert.equal(status, 200, body.detail)
        isRead(body.text)
      })
    }
  })

  it('reads the pages of a PDF in order', async () => {
    const document = new PDFDocument({ size: 'A5', autoFirstPage: false })
    for (const word of ['first', 'second', 'third']) document.addPage().fontSize(20).text(`This is the ${word} page.`)
    const { body } = await post(await finish(document))
    assert.equal(body.text, 'This is the first page.\n\nThis is the second page.\n\nThis is the third page.')
    assert.deepEqual(
      body.pages.map((read: { page: number }) => read.page),
      [1, 2, 3]
    )
    assert.deepEqual(
      body.blocks.map((block: { page: number }) => block.page),
      [1, 2, 3]
    )
  })

  it('takes strips longer than Tesseract reads', async () => {
    for (const [width, height] of [
      [60_000, 1],
      [1, 60_000],
      [33_000, 40]
    ] as const) {
      const strip = await sharp({ create: { width, height, channels: 3, background: '#fff' } })
        .png()
        .toBuffer()
      const { status, body } = await post(strip)
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual([body.text, body.pages[0].width, body.pages[0].height], ['', width, height])
    }
  })

  it('finds nothing on an empty page', async () => {
    const empty = await sharp({ create: { width: 600, height: 600, channels: 3, background: '#fff' } })
      .png()
      .toBuffer()
    const { status, body } = await post(empty)
    assert.equal(status, 200)
    assert.deepEqual([body.text, body.confidence, body.blocks], ['', 0, []])
  })

  describe('refuses', () => {
    const cases: Array<
      [string, () => Promise<[Uint8Array | FormData | string, Record<string, string>?]>, number, string]
    > = [
      ['an empty body', async () => [new Uint8Array(), { 'content-type': 'image/png' }], 400, 'EmptyBody'],
      [
        'a body that is not what it is said to be',
        async () => [picture, { 'content-type': 'image/jpeg' }],
        400,
        'MediaTypeMismatch'
      ],
      [
        'text that is said to be a PDF',
        async () => ['hello', { 'content-type': 'application/pdf' }],
        400,
        'MediaTypeMismatch'
      ],
      ['text', async () => ['hello', { 'content-type': 'text/plain' }], 415, 'UnsupportedMediaType'],
      [
        'bytes that are nothing known',
        async () => [Buffer.from('hello'), { 'content-type': 'application/octet-stream' }],
        415,
        'UnsupportedMediaType'
      ],
      [
        'pictures of an iPhone',
        async () => [Buffer.from('\0\0\0\x18ftypheic'), { 'content-type': 'image/heic' }],
        415,
        'UnsupportedMediaType'
      ],
      ['a picture that is cut short', async () => [picture.subarray(0, picture.length >> 1)], 422, 'CorruptImage'],
      [
        'a JPEG that is cut short',
        async () => {
          const jpeg = await sharp(picture).jpeg().toBuffer()
          return [jpeg.subarray(0, jpeg.length >> 1)]
        },
        422,
        'CorruptImage'
      ],
      ['a picture without an inside', async () => [picture.subarray(0, 20)], 422, 'CorruptImage'],
      [
        'a small file that unpacks to 2.5 billion pixels',
        async () => [claimedPng(50_000, 50_000)],
        413,
        'ImageTooLarge'
      ],
      ['a PDF that is cut short', async () => [page.pdf.subarray(0, 600)], 422, 'CorruptDocument'],
      [
        'a PDF with a password',
        async () => {
          const document = new PDFDocument({ userPassword: 'secret' })
          document.text('hidden')
          return [await finish(document)]
        },
        422,
        'PasswordProtected'
      ],
      ['more pages than it reads', async () => [emptyPagesPdf(101)], 413, 'TooManyPages'],
      [
        'too large a body',
        async () => [Buffer.alloc(26 * 1024 * 1024), { 'content-type': 'image/png' }],
        413,
        'BodyTooLarge'
      ],
      [
        'too large a file in a form',
        async () => {
          const form = new FormData()
          form.set('file', new Blob([new Uint8Array(26 * 1024 * 1024)]), 'big.png')
          return [form]
        },
        413,
        'BodyTooLarge'
      ],
      [
        'a form without a file',
        async () => {
          const form = new FormData()
          form.set('text', 'hello')
          return [form]
        },
        422,
        'NoFile'
      ],
      [
        'a form that breaks off',
        async () => [
          '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc',
          { 'content-type': 'multipart/form-data; boundary=x' }
        ],
        400,
        'MalformedBody'
      ],
      ['broken JSON', async () => ['{"image":', JSON_TYPE], 400, 'MalformedBody'],
      ['JSON without a picture', async () => ['{"picture": "x"}', JSON_TYPE], 422, 'InvalidInput'],
      ['JSON with something else', async () => ['{"image": 5}', JSON_TYPE], 422, 'InvalidInput'],
      ['what is not base64', async () => ['{"image": "%%%"}', JSON_TYPE], 422, 'InvalidInput']
    ]
    for (const [what, make, status, code] of cases) {
      it(what, async () => {
        const answer = await post(...(await make()))
        assert.deepEqual([answer.status, answer.body.code], [status, code])
        assert.ok(answer.type?.startsWith('application/problem+json'))
      })
    }

    it('without harm: the next request is answered', async () => isRead((await post(picture)).body.text))
  })

  it('answers 504 when the time that the caller has is over, and can read again', async () => {
    const { status, body } = await post(picture, { 'hedgerow-timeout': '0.35' })
    assert.deepEqual([status, body.code], [504, 'TimedOut'])
    isRead((await post(picture)).body.text)
  })

  it('stops reading when the caller leaves, and can read again', async () => {
    const before = await stats()
    const gone = new AbortController()
    const body = await png(await rasterise((await setPage('terms', { font: FONTS.tinos, size: 9 })).pdf, 400))
    const asked = fetch(`${service.url}/recognize`, { method: 'POST', body: new Uint8Array(body), signal: gone.signal })
    await until(async () => (await stats()).reading > 0)
    gone.abort()
    await assert.rejects(asked)
    await until(async () => (await stats()).running === 0)
    const after = await stats()
    assert.equal(after.reading, 0)
    assert.equal(after.replaced, before.replaced + 1)
    assert.equal(after.pages, before.pages)
    isRead((await post(picture)).body.text)
  })

  it('answers /health at once while it reads as much as it can', async () => {
    const reading = Array.from({ length: 4 }, () => post(page.pdf))
    let slowest = 0
    let finished = false
    const all = Promise.all(reading).finally(() => {
      finished = true
    })
    while (!finished) {
      const start = performance.now()
      assert.equal((await fetch(`${service.url}/health`)).status, 200)
      slowest = Math.max(slowest, performance.now() - start)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    for (const { status } of await all) assert.equal(status, 200)
    assert.ok(slowest < 1500, `${slowest} ms`)
  })
})

describe('the service with one place', function () {
  this.timeout(60_000)
  let service: RunningService
  before(async () => {
    service = await startService({ OCR_WORKERS: '1', OCR_REQUESTS: '1', OCR_TIME_LIMIT_S: '1' })
  })
  after(() => service.stop())

  it('answers 429 with Retry-After to one more, and 504 when its own limit is over', async () => {
    const { pdf } = await setPage('letter', { font: FONTS.arimo, size: 11 })
    const send = async () => {
      const response = await fetch(`${service.url}/recognize`, { method: 'POST', body: new Uint8Array(pdf) })
      const { code } = await response.json()
      return { status: response.status, code, retryAfter: response.headers.get('retry-after') }
    }
    const answers = await Promise.all([send(), send()])
    const [busy, late] = answers.toSorted((a, b) => a.status - b.status)
    assert.deepEqual([busy?.status, busy?.code], [429, 'Busy'])
    assert.match(busy?.retryAfter ?? '', /^\d+$/)
    assert.deepEqual([late?.status, late?.code], [504, 'TimedOut'])
  })
})

describe('the process', () => {
  it('says which setting is wrong, and exits with 2', async () => {
    await assert.rejects(startService({ OCR_WORKERS: 'many' }), { message: /ended with 2 / })
  })

  it('ends when the daemon is gone', async () => {
    const service = await startService()
    await service.stop()
    assert.equal(service.process.exitCode, 0)
  })
})
