import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Mesh, startMesh } from '@hedgerow/scripts/mesh'
import { skipUnless } from '../src/browser.ts'
import { getJson, LAB, postJson, until } from '../src/harness.ts'
import { type TinyDisk, tinyDisk } from '../src/tiny-disk.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAMS = { worker: 'daemon/src/main.ts', relay: 'bootstrap-relay/src/main.ts' }

describe('a disk that is full', function () {
  this.timeout(120_000)
  let disk: TinyDisk

  function mount(context: Mocha.Context, options: string): void {
    const mounted = tinyDisk(options)
    if (typeof mounted !== 'string') {
      disk = mounted
      return
    }
    skipUnless(context, mounted)
  }

  afterEach(() => disk?.remove())

  async function starts(program: keyof typeof PROGRAMS): Promise<{ code: number; lines: string[] }> {
    const child = spawn(process.execPath, ['--conditions=hedgerow-source', PROGRAMS[program]], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LOG_LEVEL: 'warn', HEDGEROW_DATA_DIR: disk.path, HEDGEROW_HTTP_PORT: '0' }
    })
    const said = text(child.stderr)
    const [code] = await once(child, 'exit')
    return { code, lines: (await said).trim().split('\n') }
  }

  for (const program of ['worker', 'relay'] as const) {
    it(`has a ${program} say in one line that it can't start, when nothing can be written`, async function () {
      mount(this, 'size=1m,mode=700,ro')
      const { code, lines } = await starts(program)
      assert.equal(code, 2)
      assert.equal(lines.length, 1, lines.join('\n'))
      assert.match(lines[0] ?? '', /HEDGEROW_DATA_DIR.*EROFS/)
    })

    it(`has a ${program} say in one line that it can't start, when there is no room for its key`, async function () {
      mount(this, 'size=1m,mode=700')
      disk.fill()
      const { code, lines } = await starts(program)
      assert.equal(code, 2)
      assert.equal(lines.length, 1, lines.join('\n'))
      assert.match(lines[0] ?? '', /HEDGEROW_DATA_DIR.*ENOSPC/)
    })
  }

  it('stops no peer that runs, not even its log, and spoils nothing that is kept', async function () {
    mount(this, 'size=1m,mode=700')
    const dataDir = join(disk.path, 'mesh')
    const env = { HEDGEROW_SERVICES_DIR: LAB, HEDGEROW_SERVICES: 'lab', HEDGEROW_FORBID_SERVICES: '*' }
    const mesh: Mesh = await startMesh({
      httpPort: 0,
      workers: 2,
      dataDir,
      logToFile: true,
      services: ['lab'],
      env: { ...env, LOG_LEVEL: 'info' }
    })
    try {
      await mesh.ready(AbortSignal.timeout(60_000))
      const [worker, other] = mesh.workers
      assert.ok(worker != null && other != null)
      const kept = join(dataDir, worker.name, 'known-peers.json')
      const before = await until('peers are kept', () => readFile(kept, 'utf8'), 30_000)
      disk.fill()
      for (let i = 0; i < 50; i++) assert.equal((await postJson(`${mesh.relay.url}/service/lab`, { i })).status, 200)
      for (const { url, pid } of [mesh.relay, worker, other])
        assert.equal((await getJson<{ pid: number }>(`${url}/health`)).pid, pid)

      const exited = once(worker.child, 'exit')
      worker.child.kill('SIGTERM')
      assert.deepEqual(await exited, [0, null])
      assert.deepEqual(JSON.parse(await readFile(kept, 'utf8')), JSON.parse(before))
      const again = await mesh.startWorker(worker.name)
      assert.equal(again.peerId, worker.peerId, 'it is who it was')
      await until(
        'it answers again',
        async () =>
          (await postJson(`${mesh.relay.url}/service/lab`, {}, { 'hedgerow-worker': again.peerId })).status === 200
      )
    } finally {
      await mesh.stop()
    }
  })

  it('has rag-embeddings answer 507, and lose nothing that it has acknowledged', async function () {
    mount(this, 'size=4m,mode=700')
    const running: ChildProcess[] = []
    const start = async (): Promise<{ url: string; child: ChildProcess }> => {
      const child = spawn(process.execPath, ['--conditions=hedgerow-source', 'services/rag-embeddings/src/main.ts'], {
        cwd: ROOT,
        stdio: ['pipe', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH, PORT: '0', HEDGEROW_PARENT: 'stdin', HEDGEROW_STATE_DIR: disk.path }
      })
      running.push(child)
      let said = ''
      for await (const line of createInterface({ input: child.stderr })) {
        said += line
        const url = /"url":"([^"]+)","msg":"listening"/.exec(said)?.[1]
        if (url == null) continue
        child.stderr.resume()
        await until('it is healthy', async () => (await fetch(`${url}/health`)).ok)
        return { url, child }
      }
      throw new Error(said)
    }
    const kill = async (child: ChildProcess): Promise<void> => {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }
    try {
      const { url, child } = await start()
      const acknowledged: string[] = []
      let status = 0
      for (let i = 0; i < 2000 && status !== 507; i++) {
        const document = { id: `d${i}`, text: `Document ${i} is about rent. ${'Arrears of council tax. '.repeat(200)}` }
        const response = await postJson(`${url}/documents`, document)
        status = response.status
        await response.text()
        if (status === 201) acknowledged.push(document.id)
        else assert.equal(status, 507)
      }
      assert.equal(status, 507)
      assert.ok(acknowledged.length > 3)
      const has = async (at: string): Promise<void> => {
        for (const id of acknowledged) assert.equal((await fetch(`${at}/documents/${id}`)).status, 200, id)
        const { passages } = await (await postJson(`${at}/query`, { query: 'rent', top_k: 3 })).json()
        assert.equal(passages.length, 3)
      }
      disk.fill()
      await has(url)
      await kill(child)
      disk.free()
      const again = await start()
      await has(again.url)
    } finally {
      for (const child of running) if (child.exitCode == null && child.signalCode == null) await kill(child)
    }
  })
})
