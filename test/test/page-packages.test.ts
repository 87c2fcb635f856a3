import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { Mesh } from '@hedgerow/browser-node'
import { buildLibrary } from '@hedgerow/browser-node/build'
import { build } from 'vite'
import { openPage } from '../src/browser.ts'
import { type PageMesh, pageMesh } from '../src/page-mesh.ts'

declare const entry: { mesh: Mesh }

const TYPES: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' }

describe('the library in a page of somebody else', function () {
  this.timeout(120_000)
  let all: PageMesh
  let dir: string

  before(async function () {
    all = await pageMesh(this)
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-packages-'))
  })
  after(async () => {
    await all?.stop()
    if (dir != null) await rm(dir, { recursive: true, force: true })
  })

  /** Serves a folder, opens its page, and asks a service from there. */
  async function answerIn(folder: string): Promise<string> {
    const server = createServer(async (request, response) => {
      const path = request.url === '/' ? '/index.html' : (request.url ?? '')
      const content = await readFile(join(folder, path)).catch(() => undefined)
      response.writeHead(content == null ? 404 : 200, { 'content-type': TYPES[extname(path)] ?? 'text/plain' })
      response.end(content)
    })
    // The origin that the browser was told to take for secure.
    const { port } = new URL(all.site.url)
    await all.site.close()
    await once(server.listen(Number(port), all.network.address), 'listening')
    try {
      const page = await openPage(all.browser, all.site.url)
      const text = await page.evaluate(async () => {
        const response = await entry.mesh.fetch('/service/lab/echo', { method: 'POST', body: 'hello' })
        return response.text()
      })
      await page.context().close()
      return text
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  const main = (from: string): string =>
    `import { joinMesh } from '${from}'\nglobalThis.entry = { mesh: await joinMesh({ relays: ['${all.mesh.relay.url}'] }) }\n`

  it('runs from a plain script tag', async () => {
    await buildLibrary(join(dir, 'plain'))
    await writeFile(
      join(dir, 'plain', 'index.html'),
      `<!doctype html><title>plain</title><script type="module">${main('./hedgerow.js')}</script>`
    )
    assert.equal(await answerIn(join(dir, 'plain')), 'hello')
  })

  it('is taken by Vite as any package', async () => {
    const root = await mkdtemp(join(import.meta.dirname, '../vite-'))
    try {
      await buildLibrary()
      await writeFile(
        join(root, 'index.html'),
        '<!doctype html><title>v</title><script type="module" src="./main.js"></script>'
      )
      await writeFile(join(root, 'main.js'), main('@hedgerow/browser-node'))
      await build({ root, configFile: false, logLevel: 'error', build: { target: 'es2022', outDir: join(dir, 'vite') } })
    } finally {
      await rm(root, { recursive: true, force: true })
    }
    assert.equal(await answerIn(join(dir, 'vite')), 'hello')
  })
})
