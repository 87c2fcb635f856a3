import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { scanOf, textPdf } from './support/documents.ts'
import { CONTEXT, ServiceProcess, StandInMesh } from './support/service.ts'

const VISION_OCR = fileURLToPath(new URL('../../vision-ocr/src/main.ts', import.meta.url))
/** share of characters that may be wrong on a scan at 200 dpi, a little askew */
const MOST_WRONG = 0.01

describe('document-processing with the real vision-ocr', function () {
  this.timeout(120_000)
  let mesh: StandInMesh
  let ocr: ServiceProcess
  let service: ServiceProcess

  before(async () => {
    mesh = await StandInMesh.start()
    ocr = await ServiceProcess.start({}, VISION_OCR)
    service = await ServiceProcess.start({ HEDGEROW_MESH_URL: mesh.url })
    mesh.ocr = async ({ png, response }) => {
      const answer = await fetch(`${ocr.url}/recognize`, {
        method: 'POST',
        body: new Uint8Array(png),
        headers: { 'content-type': 'image/png' }
      })
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
      response.end(Buffer.from(await answer.arrayBuffer()))
    }
  })
  after(async () => {
    await service?.stop()
    await ocr?.stop()
    await mesh?.stop()
  })

  it('reads a scanned letter, each page where it belongs', async () => {
    const letter = readFileSync(new URL('data/letter.txt', import.meta.url), 'utf8').trim()
    const second = 'Statement of account NL-4471-20938\n\nBalance on 3 March 2026: £4,812.36'
    const response = await fetch(`${service.url}/process`, {
      method: 'POST',
      body: new Uint8Array(await scanOf(await textPdf([letter, second]), 200)),
      headers: { 'content-type': 'application/pdf', 'hedgerow-context': CONTEXT }
    })
    const body = await response.json()
    assert.equal(response.status, 200, JSON.stringify(body))
    for (const [i, expected] of [letter, second].entries()) {
      const { source, confidence, text } = body.pages[i]
      assert.equal(source, 'ocr')
      assert.ok(confidence > 0.5 && confidence <= 1, `confidence ${confidence}`)
      const wrong = distance(squeezed(expected), squeezed(text)) / squeezed(expected).length
      assert.ok(wrong <= MOST_WRONG, `page ${i + 1}: ${(100 * wrong).toFixed(2)} % of characters are wrong:\n${text}`)
    }
  })
})

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** How many characters must be added, left out or replaced. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    above = row
  }
  return above.at(-1) ?? 0
}
