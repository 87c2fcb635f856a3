import assert from 'node:assert/strict'
import { parseHTML } from 'linkedom'
import type { DocumentError } from '../src/errors.ts'
import { readHtml } from '../src/formats/html.ts'
import { htmlText } from '../src/formats/html-text.ts'
import { isScanned } from '../src/formats/scanned.ts'
import { readText } from '../src/formats/text.ts'
import { formatOf, parseMediaType } from '../src/media-type.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('the format of a document', () => {
  const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0])
  const cases: [string, Uint8Array, string][] = [
    ['', bytes('%PDF-1.7'), 'pdf'],
    ['', bytes(' \n%PDF-1.7'), 'pdf'],
    ['application/octet-stream', PNG, 'png'],
    ['application/x-www-form-urlencoded', Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]), 'jpeg'],
    ['', bytes('<!-- x --><!DOCTYPE html><p>'), 'html'],
    ['', bytes('Dear Sir <3'), 'text'],
    ['text/plain', bytes('<html>'), 'text'],
    ['text/html', bytes('<p>a fragment'), 'html'],
    ['text/markdown', bytes('# A'), 'text'],
    ['image/jpg', Uint8Array.from([0xff, 0xd8, 0xff]), 'jpeg'],
    ['', bytes('PK\u0003\u0004'), 'docx'],
    ['text/plain', Uint8Array.from([0xff, 0xfe, 0x41, 0x00]), 'text'],
    // refused
    ['application/pdf', bytes('hello'), 'MediaTypeMismatch'],
    ['text/plain', bytes('%PDF-1.4'), 'MediaTypeMismatch'],
    ['image/png', Uint8Array.from([0xff, 0xd8, 0xff]), 'MediaTypeMismatch'],
    ['text/plain', Uint8Array.from([0, 1, 2, 3]), 'MediaTypeMismatch'],
    ['', bytes('GIF89a'), 'UnsupportedMediaType'],
    ['image/gif', bytes('GIF89a'), 'UnsupportedMediaType'],
    ['application/json', bytes('{}'), 'UnsupportedMediaType'],
    ['', bytes('{\\rtf1'), 'UnsupportedMediaType'],
    ['', Uint8Array.from([0, 0, 0, 9]), 'UnsupportedMediaType']
  ]
  for (const [said, body, expected] of cases) {
    it(`of ${JSON.stringify(Buffer.from(body).toString('latin1'))} sent as "${said}" is ${expected}`, () => {
      const found = (): string => formatOf(said, body)
      if (/^[A-Z]/.test(expected)) assert.throws(found, (err: DocumentError) => err.code === expected)
      else assert.equal(found(), expected)
    })
  }

  it('is named without parameters', () => {
    assert.deepEqual(parseMediaType('Text/HTML; a=b; Charset="ISO-8859-1"'), {
      essence: 'text/html',
      charset: 'iso-8859-1'
    })
  })
})

describe('a page of a PDF', () => {
  const page = (text: string, imageCoverage = 0, hasGraphics = imageCoverage > 0) => ({
    text,
    imageCoverage,
    hasGraphics
  })
  const letter = 'We write about the arrears on your account. '.repeat(5)
  const cases: [string, ReturnType<typeof page>, boolean][] = [
    ['with text', page(letter), false],
    ['with text and a letterhead', page(letter, 0.2), false],
    ['with text behind its scan', page(letter, 1), false],
    ['with nothing on it', page(''), false],
    ['with a page number only', page('12'), false],
    ['that is a scan', page('', 1), true],
    ['that is a scan with a stamp', page('Received 3 March 2026', 0.95), true],
    ['with letters drawn as shapes', page('', 0, true), true],
    ['whose fonts name no letters', page('\uFFFD\uE000\uE001 \uE002\u0003 \uFFFD\uFFFD'), true]
  ]
  for (const [what, seen, scanned] of cases) {
    it(`${what} is ${scanned ? '' : 'not '}read by OCR`, () => assert.equal(isScanned(seen), scanned))
  }
})

describe('plain text', () => {
  it('has pages where it has form feeds', () => {
    assert.deepEqual(readText(bytes('one\r\n\r\n\r\n\r\ntwo  \n\fthree\n\f'), undefined).pages, [
      { number: 1, text: 'one\n\ntwo' },
      { number: 2, text: 'three' }
    ])
  })

  it('is decoded as it says, as its mark shows, as UTF-8, or as Windows writes', () => {
    const cases: [number[], string | undefined, string, string][] = [
      [[0xa3, 0x35], undefined, '£5', 'windows-1252'],
      [[0xc2, 0xa3, 0x35], undefined, '£5', 'utf-8'],
      [[0xff, 0xfe, 0xa3, 0x00, 0x35, 0x00], undefined, '£5', 'utf-16le'],
      [[0xa4], 'iso-8859-15', '€', 'iso-8859-15']
    ]
    for (const [codes, charset, text, used] of cases) {
      const read = readText(Uint8Array.from(codes), charset)
      assert.deepEqual([read.pages, read.details.charset], [[{ number: 1, text }], used])
    }
  })

  it('that is not what it says is refused', () => {
    for (const [codes, charset] of [
      [[0xa3], 'utf-8'],
      [[0x41], 'no-such-charset'],
      [[0x41, 0, 0x42], undefined]
    ] as const) {
      assert.throws(
        () => readText(Uint8Array.from(codes), charset),
        (err: DocumentError) => err.code === 'MalformedText'
      )
    }
  })
})

describe('the text of HTML', () => {
  const textOf = (body: string): string =>
    htmlText(parseHTML(`<html><head></head><body>${body}</body></html>`).document.body)

  it('reads as it is shown', () => {
    const cases: [string, string][] = [
      ['<p>One <b>two</b>\n three</p><p>four</p>', 'One two three\n\nfour'],
      ['a<br>b<div>c</div>d', 'a\nb\nc\nd'],
      ['<ul><li>a</li><li>b</li></ul>', '- a\n- b'],
      ['<table><tr><th>To</th><th>Sum</th></tr><tr><td><p>Ann</p></td><td>£5</td></tr></table>', 'To\tSum\nAnn\t£5'],
      ['<pre>a\n  b</pre>c', 'a\n  b\n\nc'],
      ['x<script>alert(1)</script><style>p{}</style><p hidden>h</p><p style="display: none">n</p>y', 'x\n\ny'],
      ['5&nbsp;&pound; &lt;b&gt;', '5\u00a0£ <b>']
    ]
    for (const [html, text] of cases) assert.equal(textOf(html), text, html)
  })

  it('keeps the lines of a table that is layout', () => {
    const long = 'long words '.repeat(30).trim()
    assert.equal(textOf(`<table><tr><td><p>Dear Ann</p><p>${long}</p></td></tr></table>`), `Dear Ann\n\n${long}`)
  })

  it('is that of the article where a site has things around it, and all of a letter', () => {
    const article = `<h1>Breathing space</h1>${'<p>Breathing space gives people in debt sixty days without interest, fees and enforcement.</p>'.repeat(8)}`
    const site = readHtml(
      bytes(
        `<title>Help</title><body><nav><a href="/">Menu entry</a></nav><article>${article}</article><aside>Advertisement</aside></body>`
      ),
      undefined
    )
    assert.equal(site.title, 'Help')
    assert.equal(site.details.extraction, 'article')
    const [page] = site.pages
    assert.ok(page != null && 'text' in page)
    assert.match(page.text, /Breathing space gives/)
    assert.doesNotMatch(page.text, /Menu entry|Advertisement/)

    const letter = readHtml(bytes('<html><body><p>12 Mill Lane</p><p>Dear Ann</p></body></html>'), undefined)
    assert.deepEqual(letter.pages, [{ number: 1, text: '12 Mill Lane\n\nDear Ann' }])
  })

  it('is found however little of a document there is around it', () => {
    for (const markup of [
      '<p>Dear Ann</p>',
      '<!doctype html><title>T</title><p>Dear Ann',
      '<html><head><title>T</title></head><p>Dear Ann</p></html>',
      '<title>T</title><body>Dear Ann',
      'Dear Ann'
    ]) {
      assert.deepEqual(readHtml(bytes(markup), undefined).pages, [{ number: 1, text: 'Dear Ann' }], markup)
    }
  })

  it('is found where elements are nested without end', () => {
    const { pages } = readHtml(bytes(`<html><body><nav>x</nav>${'<div>'.repeat(5_000)}Dear Ann`), undefined)
    assert.deepEqual(pages, [{ number: 1, text: 'x\n\nDear Ann' }])
  })

  it('is found in time where cells are nested without end around many others', () => {
    const started = process.cpuUsage()
    const { pages } = readHtml(bytes(`${'<table><tr><td>'.repeat(1_500)}${'<b>x</b>'.repeat(50_000)}`), undefined)
    assert.equal(pages.length, 1)
    assert.ok(process.cpuUsage(started).user < 10e6)
  })

  it('is decoded as the page says', () => {
    const { pages } = readHtml(Buffer.from('<!doctype html><meta charset="iso-8859-1"><p>\u00a35', 'latin1'), undefined)
    assert.deepEqual(pages, [{ number: 1, text: '£5' }])
  })
})
