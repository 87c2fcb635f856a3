import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestMesh, testMesh } from '../src/harness.ts'

/** Each with the other services that it calls. */
const GUIDES = [
  { guide: 'services.md', name: 'greeter', others: ['ner-extraction'] },
  { guide: 'add-a-service.md', name: 'postcodes', others: [] }
]

for (const { guide: page, name, others } of GUIDES)
  describe(`a service written by ${page}`, function () {
    this.timeout(180_000)
    let mesh: TestMesh
    let dir: string
    let guide: string

    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'hedgerow-own-'))
      guide = await readFile(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
      const files = [...guide.matchAll(/^`(my-services\/[^`]+)`:\n\n```\w+\n([\s\S]*?)^```$/gm)]
      assert.equal(files.length, 2)
      for (const [, file = '', content = ''] of files) {
        await mkdir(dirname(join(dir, file)), { recursive: true })
        await writeFile(join(dir, file), content)
      }
      mesh = await testMesh({
        workers: 1,
        services: [name, ...others],
        env: { HEDGEROW_SERVICES_DIR: join(dir, 'my-services') }
      })
    })

    after(async () => {
      await mesh?.stop()
      await rm(dir, { recursive: true, force: true })
    })

    it('answers as the guide says, at the relay too', async () => {
      const [, body = '', said = ''] = new RegExp(`/service/${name} .* -d '(.*)'\\n# (.*)`).exec(guide) ?? []
      for (const url of [mesh.relay.url, mesh.workers[0]?.url]) {
        const headers = { 'content-type': 'text/plain' }
        const response = await fetch(`${url}/service/${name}`, { method: 'POST', headers, body })
        assert.deepEqual([response.status, await response.text()], [200, said])
      }
    })
  })
