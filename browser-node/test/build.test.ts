import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { buildLibrary } from '../scripts/build.ts'

/** Bytes that a page loads for the library, compressed. */
const LIMIT = 170_000

describe('the library as one file', function () {
  this.timeout(60_000)
  let dir: string
  let imports: string[]

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-build-'))
    imports = await buildLibrary(dir)
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it('is small enough for any page', async () => {
    const size = gzipSync(await readFile(join(dir, 'hedgerow.js')), { level: 9 }).byteLength
    console.log(`      ${size} bytes, gzip`)
    assert.ok(size < LIMIT, `${size} bytes`)
  })

  it('needs nothing but a browser', () => assert.deepEqual(imports, []))
})
