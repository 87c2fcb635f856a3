import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { MAX_BODY, MAX_OCR_PAGES, OCR_AT_ONCE, REQUEST_TIME_LIMIT } from '../src/limits.ts'
import {
  docx,
  docxOf,
  encryptedOffice,
  fillPage,
  lyingZip,
  pdf,
  pdfBomb,
  picture,
  readCode,
  scannedPdf,
  textPdf,
  zipBomb
} from './support/documents.ts'
import { answer, CONTEXT, type OcrRequest, ServiceProcess, StandInMesh, until } from './support/service.ts'

const PDF = 'application/pdf'
const WORD = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

interface Answer {
  status: number
  type: string
  retryAfter: string | null
  body: {
    code?: string
    page?: number
    text: string
    pages: { number: number; text: string; source: string; confidence?: number }[]
    chunks: { index: number; text: string; start: number; end: number; page: number }[]
    metadata: Record<string, string | number>
  }
}

const PARAGRAPH = '<w:p><w:r><w:t>Alpha</w:t></w:r></w:p>'

describe('document-processing', function () {
  this.timeout(60_000)
  let mesh: StandInMesh
  let service: ServiceProcess

  before(async () => {
    mesh = await StandInMesh.start()
    service = await ServiceProcess.start({ HEDGEROW_MESH_URL: mesh.url })
  })
  after(async () => {
    await service?.stop()
    await mesh?.stop()
  })
  beforeEach(() => mesh.reset())

  const send = async (
    body: Uint8Array | string | FormData,
    type?: string,
    { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {}
  ): Promise<Answer> => {
    // a view without a type gets none from fetch, as from a sender who doesn't know
    const response = await fetch(`${service.url}/process${query}`, {
      method: 'POST',
      body: typeof body === 'string' ? Buffer.from(body) : body instanceof FormData ? body : Buffer.from(body),
      headers: { ...(type == null ? {} : { 'content-type': type }), 'hedgerow-context': CONTEXT, ...headers }
    })
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      retryAfter: response.headers.get('retry-after'),
      body: await response.json()
    }
  }

  /** Plainly no OCR: it reads the code that the tests' scans carry, and so proves which page came, and how it looks. */
  const readsCodes = async ({ png, response }: OcrRequest): Promise<void> => {
    const { text } = await readCode(png)
    if (text == null) return answer(response, 422, { code: 'NoCode', detail: 'no code is on this page' })
    answer(response, 200, { text, confidence: 0.97, blocks: [] })
  }

  const assertWhole = ({ text, pages, chunks }: Answer['body']): void => {
    assert.equal(
      text,
      pages
        .filter(page => page.text !== '')
        .map(page => page.text)
        .join('\n\n')
    )
    for (const chunk of chunks) {
      assert.equal(text.slice(chunk.start, chunk.end), chunk.text)
      assert.ok(pages.find(({ number }) => number === chunk.page)?.text.includes(chunk.text))
    }
    const squeezed = (from: string): string => from.replace(/\s+/g, '')
    assert.equal(squeezed(chunks.map(({ text }) => text).join('')), squeezed(text))
  }

  describe('reads', () => {
    const letter = readFileSync(new URL('data/letter.txt', import.meta.url), 'utf8').trim()
    const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '')

    it('a text PDF without one wrong character, its pages in order', async () => {
      const pages = [letter, 'Page two: £1,250.00 – “quoted” & Ünïcode.', 'Page three.']
      const { status, body } = await send(await textPdf(pages), PDF)
      assert.equal(status, 200)
      assert.deepEqual(
        body.pages.map(({ number, source }) => [number, source]),
        [
          [1, 'text'],
          [2, 'text'],
          [3, 'text']
        ]
      )
      for (const [i, text] of pages.entries()) assert.deepEqual(words(body.pages[i]?.text ?? ''), words(text))
      assert.equal(body.metadata.title, 'Arrears letter')
      assert.equal(body.metadata.page_count, 3)
      assert.equal(body.metadata.media_type, PDF)
      assert.equal(mesh.calls, 0)
      assertWhole(body)
    })

    it('scanned pages through the mesh, a few at once, in order, beside pages that have text', async () => {
      mesh.ocr = readsCodes
      const scans = Array.from({ length: 7 }, (_, i) => `Scanned page ${i + 2} of the letter`)
      const pictures = await Promise.all(scans.map(text => picture(text, 'jpeg')))
      const bytes = await pdf(document => {
        document.fontSize(11).text(letter, 60, 60)
        for (const jpeg of pictures) fillPage(document.addPage(), jpeg)
        document.addPage().text(letter, 60, 60)
      })
      const { status, body } = await send(bytes, PDF)
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(
        body.pages.map(({ number, source, confidence }) => [number, source, confidence]),
        [[1, 'text', undefined], ...scans.map((_, i) => [i + 2, 'ocr', 0.97]), [9, 'text', undefined]]
      )
      assert.deepEqual(
        body.pages.slice(1, 8).map(({ text }) => text),
        scans
      )
      assert.deepEqual([mesh.calls, body.metadata.ocr_pages, mesh.refused], [7, 7, []])
      assert.ok(mesh.atOnce > 1 && mesh.atOnce <= OCR_AT_ONCE, `${mesh.atOnce} at once`)
      assertWhole(body)
    })

    it('renders a scan in grey at 200 to 300 dpi', async () => {
      const seen: Awaited<ReturnType<typeof readCode>>[] = []
      mesh.ocr = async call => {
        seen.push(await readCode(call.png))
        answer(call.response, 200, { text: 'seen' })
      }
      // the pictures have 150 dpi, which is too few
      assert.equal((await send(await scannedPdf(['a']), PDF)).status, 200)
      const [page] = seen
      assert.equal(page?.text, 'a')
      assert.ok(Math.abs((page?.width ?? 0) - (595.28 / 72) * 200) < 3, `${page?.width} wide`)
      assert.equal(page?.density, 200)
    })

    for (const format of ['png', 'jpeg'] as const) {
      it(`${format.toUpperCase()} pictures through the mesh, whatever they are said to be`, async () => {
        mesh.ocr = readsCodes
        const bytes = await picture(`a photograph in ${format}`, format)
        for (const type of [`image/${format}`, undefined]) {
          const { status, body } = await send(bytes, type)
          assert.equal(status, 200, JSON.stringify(body))
          assert.deepEqual(body.pages, [
            { number: 1, text: `a photograph in ${format}`, source: 'ocr', confidence: 0.97 }
          ])
          assert.equal(body.metadata.media_type, `image/${format}`)
        }
      })
    }

    it('Word documents: headings, lists, tables, page breaks, headers and footers', async () => {
      const { status, body } = await send(await docx(), WORD)
      assert.equal(status, 200)
      assert.deepEqual(
        body.pages.map(({ text }) => text),
        [
          'Northway Lending, 4 Mill Lane\n\nYour account\n\nYou owe £1,250.00 – please reply by 3 March 2026.\n\n- first point\n\nCreditor\tBalance\nNorthway\t£1,250.00',
          'Second page.\n\nRegistered in England'
        ]
      )
      assert.equal(body.metadata.title, 'Offer of payment')
      assertWhole(body)
    })

    it('HTML without running or fetching anything', async () => {
      let fetched = 0
      const trap = await StandInMesh.start()
      trap.ocr = () => void fetched++
      try {
        const html = `<title>Letter</title><img src="${trap.url}/a.png"><link rel="stylesheet" href="${trap.url}/a.css">
          <iframe src="${trap.url}"></iframe><script src="${trap.url}/a.js"></script>
          <script>document.body.textContent = 'changed'; fetch('${trap.url}')</script><p>Dear Ann</p>`
        const { body } = await send(html, 'text/html; charset=utf-8')
        assert.equal(body.text, 'Dear Ann')
        assert.equal(body.metadata.title, 'Letter')
        assert.deepEqual([fetched, trap.refused], [0, []])
      } finally {
        await trap.stop()
      }
    })

    it('plain text as it is', async () => {
      const { body } = await send(letter, 'text/plain')
      assert.equal(body.text, letter)
      assertWhole(body)
    })

    it('a form with a file, its name and options beside it', async () => {
      const form = new FormData()
      form.set('chunk_size', '200')
      form.set('file', new Blob([letter], { type: 'text/plain' }), 'letters/from bank.txt')
      const { status, body } = await send(form)
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(body.metadata.filename, 'from bank.txt')
      assert.ok(body.chunks.length > 3 && body.chunks.every(({ text }) => text.length <= 200))
      assertWhole(body)
    })

    it('a file whose name is in a header, and a page that has text by OCR when asked to', async () => {
      mesh.ocr = ({ response }) => answer(response, 200, { text: 'by OCR' })
      const { body } = await send(await textPdf([letter]), undefined, {
        query: '?ocr=always',
        headers: { 'content-disposition': `attachment; filename*=UTF-8''Z%C3%A4hlung.pdf` }
      })
      assert.equal(body.metadata.filename, 'Zählung.pdf')
      assert.deepEqual([body.text, body.pages[0]?.source], ['by OCR', 'ocr'])
    })

    it('a PDF that nobody needs a password to read, and one whose password comes with it', async () => {
      const open = await textPdf(['Anyone may read this.'], { ownerPassword: 'owner' })
      assert.equal((await send(open, PDF)).body.text, 'Anyone may read this.')
      const form = new FormData()
      form.set('password', 'swordfish')
      const closed = await textPdf(['For those who know.'], { userPassword: 'swordfish' })
      form.set('file', new Blob([new Uint8Array(closed)], { type: PDF }), 'a.pdf')
      assert.equal((await send(form)).body.text, 'For those who know.')
    })
  })

  describe('refuses', () => {
    const twoFiles = (): FormData => {
      const form = new FormData()
      form.append('file', new Blob(['a']), 'a.txt')
      form.append('file', new Blob(['b']), 'b.txt')
      return form
    }
    const largeFile = (): FormData => {
      const form = new FormData()
      form.append('file', new Blob([new Uint8Array(MAX_BODY + 1)]), 'a.pdf')
      return form
    }
    const noFile = (): FormData => {
      const form = new FormData()
      form.set('text', 'x')
      return form
    }
    const cases: [string, () => Promise<Answer>, number, string][] = [
      ['an empty body', () => send('', PDF), 400, 'EmptyBody'],
      ['an empty body without a type', () => send(''), 400, 'EmptyBody'],
      ['a form without a file', () => send(noFile()), 422, 'NoFile'],
      ['two files', () => send(twoFiles()), 422, 'OneFileAtATime'],
      ['a form that is none', () => send('no form', 'multipart/form-data; boundary=x'), 400, 'MalformedBody'],
      ['a body that is too large', () => send(new Uint8Array(MAX_BODY + 1), PDF), 413, 'BodyTooLarge'],
      ['a file in a form that is too large', () => send(largeFile()), 413, 'BodyTooLarge'],
      ['JSON', () => send('{"text":"x"}', 'application/json'), 415, 'UnsupportedMediaType'],
      ['a type that it does not read', () => send('GIF89a', 'image/gif'), 415, 'UnsupportedMediaType'],
      ['a PDF that is none', () => send('Dear Sir', PDF), 400, 'MediaTypeMismatch'],
      ['a text that is a PDF', async () => send(await textPdf(['x']), 'text/plain'), 400, 'MediaTypeMismatch'],
      ['a PDF cut short', async () => send((await textPdf(['x'])).subarray(0, 400), PDF), 422, 'CorruptDocument'],
      ['a PDF of nothing', () => send('%PDF-1.7\nnothing', PDF), 422, 'CorruptDocument'],
      [
        'a PDF behind a password',
        async () => send(await textPdf(['x'], { userPassword: 'a' }), PDF),
        422,
        'PasswordProtected'
      ],
      ['a PDF that unpacks to gigabytes', async () => send(await pdfBomb(600), PDF), 422, 'DocumentTooComplex'],
      ['a Word document behind a password', () => send(encryptedOffice(), WORD), 422, 'PasswordProtected'],
      ['a Word document cut short', async () => send((await docx()).subarray(0, 5000), WORD), 422, 'CorruptDocument'],
      ['markup that is broken', () => send(docxOf('<w:p><w:r>'), WORD), 422, 'CorruptDocument'],
      ['a ZIP that declares too much', () => send(zipBomb(), WORD), 422, 'DocumentTooComplex'],
      ['a ZIP that unpacks to more than it declares', () => send(lyingZip(), WORD), 422, 'CorruptDocument'],
      ['markup nested without end', () => send(docxOf('<w:p>'.repeat(150_000)), WORD), 422, 'CorruptDocument'],
      [
        'a Word document of paragraphs without number',
        () => send(docxOf(PARAGRAPH.repeat(300_000)), WORD),
        422,
        'DocumentTooComplex'
      ],
      ['HTML nested without end', () => send('<div>'.repeat(500_000), 'text/html'), 422, 'DocumentTooComplex'],
      [
        'HTML of elements without number',
        () => send('<b>a</b>'.repeat(1_000_000), 'text/html'),
        422,
        'DocumentTooComplex'
      ],
      [
        'a picture cut short',
        async () => send((await picture('x', 'png')).subarray(0, 4000), 'image/png'),
        422,
        'CorruptDocument'
      ],
      [
        'a text that is not UTF-8 as it says',
        () => send(Uint8Array.from([0x41, 0xa3]), 'text/plain; charset=utf-8'),
        400,
        'MalformedText'
      ],
      [
        'a size of chunks that makes no sense',
        () => send('x', 'text/plain', { query: '?chunk_size=9999' }),
        422,
        'InvalidInput'
      ]
    ]
    for (const [what, refusedBy, status, code] of cases) {
      it(`${what} with ${status} ${code}, and answers the next`, async () => {
        const refused = await refusedBy()
        assert.deepEqual([refused.status, refused.body.code], [status, code], JSON.stringify(refused.body))
        assert.match(refused.type, /^application\/problem\+json/)
        assert.equal((await send('next', 'text/plain')).body.text, 'next')
        assert.ok(service.running)
      })
    }

    it('more scanned pages than it reads, before it reads the first', async () => {
      const jpeg = await picture('x', 'jpeg')
      const bytes = await pdf(document => {
        fillPage(document, jpeg)
        for (let i = 0; i < MAX_OCR_PAGES; i++) fillPage(document.addPage(), jpeg)
      })
      const { status, body } = await send(bytes, PDF)
      assert.deepEqual([status, body.code, mesh.calls], [422, 'TooManyPages', 0])
    })
  })

  describe('when OCR', () => {
    let scan: Buffer
    before(async () => {
      scan = await scannedPdf(['page one', 'page two', 'page three'])
    })

    it('is offered by nobody, says so and when to come back, and answers no page without its text', async () => {
      mesh.ocr = ({ response }) =>
        answer(response, 503, { code: 'NoWorker', detail: 'nobody offers it' }, { 'retry-after': '7' })
      const { status, type, retryAfter, body } = await send(scan, PDF)
      assert.deepEqual([status, body.code, retryAfter], [503, 'NoWorker', '7'])
      assert.match(type, /^application\/problem\+json/)
      assert.equal(body.pages, undefined)
    })

    it('fails on one page, names it, and stops asking for the others', async () => {
      const long = await scannedPdf(Array.from({ length: 20 }, (_, i) => `page ${i + 1}`))
      mesh.ocr = async call => {
        const { text } = await readCode(call.png)
        if (text === 'page 2') return answer(call.response, 500, { code: 'Internal', detail: 'crash' })
        answer(call.response, 200, { text })
      }
      const { status, body } = await send(long, PDF)
      assert.deepEqual([status, body.code, body.page], [502, 'OcrFailed', 2])
      assert.ok(mesh.calls < 20, `${mesh.calls} calls`)
    })

    it('is busy, waits for its turn', async () => {
      mesh.ocr = async call => {
        if (call.number <= 3) return answer(call.response, 429, { code: 'Busy' }, { 'retry-after': '0' })
        return readsCodes(call)
      }
      const { status, body } = await send(scan, PDF)
      assert.equal(status, 200)
      assert.equal(body.text, 'page one\n\npage two\n\npage three')
      assert.equal(mesh.calls, 6)
    })

    it('answers no JSON, or breaks off, is an error of OCR', async () => {
      for (const broken of [
        ({ response }: OcrRequest) => void response.writeHead(200).end('<html>'),
        ({ response }: OcrRequest) =>
          void response.writeHead(200, { 'content-length': '99' }).write('{"te', () => response.destroy())
      ]) {
        mesh.ocr = broken
        const { status, body } = await send(scan, PDF)
        assert.deepEqual([status, body.code], [502, 'OcrFailed'])
      }
    })

    it('takes longer than the caller waits, ends with 504', async () => {
      mesh.ocr = () => undefined
      const { status, body } = await send(scan, PDF, { headers: { 'hedgerow-timeout': '1' } })
      assert.deepEqual([status, body.code], [504, 'TimedOut'])
      await until(() => mesh.running === 0, 'the calls to OCR are ended')
    })

    it('is at work and the caller leaves, is told to stop', async () => {
      mesh.ocr = () => undefined
      const left = new AbortController()
      const response = fetch(`${service.url}/process`, {
        method: 'POST',
        body: new Uint8Array(scan),
        headers: { 'content-type': PDF, 'hedgerow-context': CONTEXT },
        signal: left.signal
      })
      await until(() => mesh.running === OCR_AT_ONCE, 'pages are being read')
      left.abort()
      await assert.rejects(response)
      await until(() => mesh.running === 0, 'the calls to OCR are ended')
      assert.equal((await send('next', 'text/plain')).status, 200)
    })

    it('can not be asked because the request came past the daemon, says so', async () => {
      const response = await fetch(`${service.url}/process`, {
        method: 'POST',
        body: new Uint8Array(scan),
        headers: { 'content-type': PDF }
      })
      const body = await response.json()
      assert.deepEqual([response.status, body.code], [503, 'NoMesh'])
    })
  })

  describe('POST /generate-qr', () => {
    const post = (body: object): Promise<Response> =>
      fetch(`${service.url}/generate-qr`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' }
      })

    it('draws a code that says the text, at the size', async () => {
      for (const [text, size] of [
        ['https://example.org/case/12?a=ä', undefined],
        ['£'.repeat(400), 900]
      ] as const) {
        const response = await post({ text, size })
        assert.equal(response.headers.get('content-type'), 'image/png')
        const code = await readCode(Buffer.from(await response.arrayBuffer()))
        assert.deepEqual([code.text, code.width, code.height], [text, size ?? 300, size ?? 300])
      }
    })

    const cases: [object, number, string][] = [
      [{}, 422, 'InvalidInput'],
      [{ text: '' }, 422, 'InvalidInput'],
      [{ text: 'a', size: 10 }, 422, 'InvalidInput'],
      [{ text: 'a', size: '300' }, 422, 'InvalidInput'],
      [{ text: '£'.repeat(2_900) }, 422, 'TextTooLong'],
      [{ text: 'a'.repeat(2_000), size: 64 }, 422, 'SizeTooSmall']
    ]
    for (const [body, status, code] of cases) {
      it(`refuses ${JSON.stringify(body).slice(0, 40)} with ${code}`, async () => {
        const response = await post(body)
        assert.deepEqual([response.status, (await response.json()).code], [status, code])
      })
    }
  })

  it('loses nobody else to a document that takes all the memory there is', async () => {
    const { pid } = service
    // within every limit on size, but each element brings its attributes
    const attributes = Array.from({ length: 8 }, (_, i) => ` a${i}=""`).join('')
    const greedy = `<b${attributes}>a</b>`.repeat(150_000)
    const [refused, ...others] = await Promise.all([
      send(greedy, 'text/html'),
      ...Array.from({ length: 6 }, (_, i) => send(`other ${i}`, 'text/plain'))
    ])
    assert.deepEqual([refused.status, refused.body.code], [422, 'DocumentTooComplex'])
    assert.deepEqual(
      others.map(({ status, body }) => [status, body.text]),
      others.map((_, i) => [200, `other ${i}`])
    )
    assert.ok(service.running && service.pid === pid)
  })

  it('leaves no process behind when it is killed with a document in hand', async () => {
    const killed = await ServiceProcess.start()
    const children = async (): Promise<string[]> =>
      (await readFile(`/proc/${killed.pid}/task/${killed.pid}/children`, 'utf8')).trim().split(' ').filter(Boolean)
    const heavy = `<nav>x</nav>${'<p>some <b>words</b>, <i>and</i> <u>more</u> of a page'.repeat(45_000)}`
    const reading = assert.rejects(
      fetch(`${killed.url}/process`, { method: 'POST', headers: { 'content-type': 'text/html' }, body: heavy })
    )
    await until(async () => (await children()).length === 1, 'the document is being read')
    const [child] = await children()
    killed.signal('SIGKILL')
    await reading
    await until(() => !existsSync(`/proc/${child}`), 'its process has ended')
  })

  it('answers /health while a document keeps a process busy', async () => {
    const slow = `<nav>x</nav>${'<div><p>some words, and more, of a page</p></div>'.repeat(9_000)}`
    let done = false
    const reading = send(slow, 'text/html').finally(() => {
      done = true
    })
    let answers = 0
    let longest = 0
    while (!done) {
      const started = performance.now()
      assert.equal((await fetch(`${service.url}/health`)).status, 200)
      longest = Math.max(longest, performance.now() - started)
      answers++
    }
    assert.equal((await reading).status, 200)
    assert.ok(answers >= 5, `${answers} answers while it was busy`)
    assert.ok(longest < 1_000, `${longest} ms`)
  })

  it('has a manifest whose limits are those of the program', () => {
    const Manifest = Type.Object({
      body_limit_mb: Type.Number(),
      operations: Type.Array(Type.Object({ path: Type.String(), first_byte_s: Type.Optional(Type.Number()) }))
    })
    const manifest = Value.Parse(
      Manifest,
      parse(readFileSync(new URL('../hedgerow.service.yaml', import.meta.url), 'utf8'))
    )
    assert.equal(manifest.body_limit_mb * 1024 * 1024, MAX_BODY)
    const main = manifest.operations.find(({ path }) => path === '/process')
    assert.ok((main?.first_byte_s ?? 0) * 1000 > REQUEST_TIME_LIMIT)
  })
})
