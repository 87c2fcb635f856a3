import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestMesh, testMesh } from '../src/harness.ts'

describe('a service written by the guide', function () {
  this.timeout(180_000)
  let mesh: TestMesh
  let dir: string
  let guide: string

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-own-'))
    guide = await readFile(new URL('../../docs/services.md', import.meta.url), 'utf8')
    const files = [...guide.matchAll(/^`(my-services\/[^`]+)`:\n\n```\w+\n([\s\S]*?)^```$/gm)]
    assert.equal(files.length, 2)
    for (const [, name = '', content = ''] of files) {
      await mkdir(dirname(join(dir, name)), { recursive: true })
      await writeFile(join(dir, name), content)
    }
    mesh = await testMesh({
      workers: 1,
      services: ['greeter', 'ner-extraction'],
      env: { HEDGEROW_SERVICES_DIR: join(dir, 'my-services') }
    })
  })

  after(async () => {
    await mesh?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('answers as the guide says, at the relay too', async () => {
    const [, body = '', said = ''] = /\/service\/greeter .* -d '(.*)'\n# (.*)/.exec(guide) ?? []
    for (const url of [mesh.relay.url, mesh.workers[0]?.url]) {
      const headers = { 'content-type': 'text/plain' }
      const response = await fetch(`${url}/service/greeter`, { method: 'POST', headers, body })
      assert.deepEqual([response.status, await response.text()], [200, said])
    }
  })
})
