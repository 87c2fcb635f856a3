/** Prints what the held-out pages measure: errors, seconds, memory. */
import { readFile } from 'node:fs/promises'
import { characterErrorRate, editDistance, normalise } from './support/errors.ts'
import { heldOutPages } from './support/held-out.ts'
import { startService } from './support/service.ts'

const service = await startService({ OCR_WORKERS: '1' })
const totals = { clean: { errors: 0, seconds: 0 }, noisy: { errors: 0, seconds: 0 } }
let characters = 0
let pages = 0
for await (const page of heldOutPages()) {
  const length = normalise(page.truth).length
  characters += length
  pages++
  for (const kind of ['clean', 'noisy'] as const) {
    const start = performance.now()
    const response = await fetch(`${service.url}/recognize`, { method: 'POST', body: new Uint8Array(page[kind]) })
    const { text, confidence } = await response.json()
    const seconds = (performance.now() - start) / 1000
    totals[kind].errors += editDistance(normalise(text), normalise(page.truth))
    totals[kind].seconds += seconds
    const rate = (characterErrorRate(text, page.truth) * 100).toFixed(3)
    console.log(`${page.name.padEnd(28)} ${kind}  ${rate} % of ${length}  ${seconds.toFixed(1)} s  ${confidence}`)
  }
}
for (const [kind, { errors, seconds }] of Object.entries(totals)) {
  const rate = ((errors / characters) * 100).toFixed(3)
  console.log(`${kind}: ${rate} % (${errors} of ${characters} characters), ${(seconds / pages).toFixed(1)} s a page`)
}
const status = await readFile(`/proc/${service.process.pid}/status`, 'utf8').catch(() => '')
console.log(`most memory: ${Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)} MB`)
await service.stop()
