import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OpenAiStandIn } from '@hedgerow/service-llm-inference/openai-stand-in'
import { getJson, postJson, type TestMesh, testMesh, until } from '../src/harness.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const GUIDE = readFileSync(join(ROOT, 'docs/from-the-old-coordinator.md'), 'utf8')
const TEXT = 'Mrs Ada Obi owes Barclaycard £1,240.50.'

/** The tables below a heading, as rows of cells, without the line that names the columns. */
function rowsOf(heading: string): string[][] {
  const section = GUIDE.split(/^## /m).find(text => text.startsWith(`${heading}\n`)) ?? assert.fail(heading)
  const rows = section.split('\n').filter(line => line.startsWith('|'))
  return rows
    .filter((row, i) => !/^\|[ -]+\|[ -|]*$/.test(row) && !/^\|[ -]+\|[ -|]*$/.test(rows[i + 1] ?? ''))
    .map(row =>
      row
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim())
    )
}

const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

describe('what the old system called things', function () {
  this.timeout(180_000)
  let mesh: TestMesh
  const llm = new OpenAiStandIn()

  before(async () => {
    await llm.start()
    mesh = await testMesh({
      workers: 1,
      services: ['ner-extraction', 'notes-coa', 'vision-ocr', 'llm-inference'],
      env: { HEDGEROW_LLM_URL: llm.url, HEDGEROW_LLM_MODEL: 'echo' }
    })
  })

  after(async () => {
    await mesh?.stop()
    await llm.stop()
  })

  it('answers at the old URLs as at the new ones', async () => {
    const keysAt = async (url: string): Promise<string[]> =>
      Object.keys(await until(url, () => getJson<Record<string, unknown>>(url))).sort()
    const rows = rowsOf('URLs')
      .map(([before, now]) => [codes(before)[0] ?? '', codes(now)[0] ?? ''])
      .filter(([before = '']) => before.startsWith('GET '))
    assert.equal(rows.length, 11)
    for (const [before = '', now = ''] of rows) {
      const [old, current] = [before, now].map(route => route.slice('GET '.length).replace('{service}', 'ner'))
      const peers = /entry-points/.test(before) ? [mesh.relay] : [mesh.relay, ...mesh.workers]
      for (const { url } of peers) {
        const keys = await keysAt(url + old)
        assert.deepEqual(keys, await keysAt(url + current), before)
        // What the guide says is in the answer is in it.
        const named = /\{([\w, ]+)\}/.exec(rowsOf('URLs').find(row => row[0]?.includes(before))?.[2] ?? '')?.[1]
        if (named != null && !/providers/.test(before)) assert.deepEqual(named.split(', ').sort(), keys, before)
      }
    }
  })

  it('finds services by their short names', async () => {
    const { services } = await getJson<{ services: Array<{ name: string; aliases: string[] }> }>(
      `${mesh.relay.url}/api/services`
    )
    const rows = rowsOf('Services by their short names')
    assert.equal(rows.length, 6)
    for (const [before, now] of rows)
      assert.deepEqual(services.find(({ name }) => name === codes(now)[0])?.aliases, codes(before))
  })

  it('takes the old bodies', async () => {
    const image = await readFile(join(ROOT, 'examples/data/creditor-letter-scan.pdf'), 'base64')
    const samples: Record<string, object> = {
      'ner-extraction': { text: TEXT },
      'notes-coa': { text: TEXT },
      'vision-ocr': { image },
      'llm-inference': { prompt: TEXT }
    }
    const rows = rowsOf('Bodies')
    assert.deepEqual(rows.map(([service]) => codes(service)[0]).sort(), Object.keys(samples).sort())
    for (const [service, before] of rows) {
      const [name = ''] = codes(service)
      const sample = samples[name] ?? {}
      assert.deepEqual(Object.keys(JSON.parse(codes(before)[0] ?? '')), Object.keys(sample))
      const answer = await postJson(`${mesh.relay.url}/service/${name}`, sample)
      assert.equal(answer.status, 200, `${name}: ${await answer.clone().text()}`)
      const body = (await answer.json()) as Record<string, unknown>
      if (name === 'llm-inference') assert.equal(body.response, body.text)
    }
    const url = `data:application/pdf;base64,${image}`
    assert.equal((await postJson(`${mesh.relay.url}/service/ocr`, { image: url })).status, 200)
  })

  it('reads the old variables', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hedgerow-old-'))
    try {
      const rows = rowsOf('Variables')
      assert.equal(rows.length, 3)
      for (const [before, now, values] of rows) {
        const [variable = ''] = codes(before)
        const run = (value: string): string => {
          const env = { ...process.env, HEDGEROW_RELAY: '', HEDGEROW_DATA_DIR: dir, [variable]: value }
          const argv = ['--conditions=hedgerow-source', 'daemon/src/main.ts']
          const { status, stderr } = spawnSync(process.execPath, argv, { cwd: ROOT, env, encoding: 'utf8' })
          assert.equal(status, 2, stderr)
          return stderr
        }
        const said = run('no-such-value')
        assert.ok(said.includes(codes(now)[0] ?? '-'), said)
        for (const value of codes(values)) assert.ok(said.includes(value), `${variable}: ${value}`)
      }
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })

  it('has the old fields', async () => {
    const at = async (path: string, list: string): Promise<Record<string, unknown>> => {
      const answer = await getJson<Record<string, Array<Record<string, unknown>>>>(mesh.relay.url + path)
      return { ...answer, ...answer[list]?.[0] }
    }
    const answers: Record<string, Record<string, unknown>> = {
      everywhere: await getJson(`${mesh.relay.url}/health`),
      '/api/admin/workers': await at('/api/admin/workers', 'workers'),
      '/entry-points': await at('/entry-points', 'entry_points')
    }
    for (const [where = '', before] of rowsOf('Fields')) {
      const place = codes(where)[0] ?? where
      // Of these the edge's own tests know.
      if (place === 'bodies to the edge') continue
      for (const field of codes(before)) assert.ok(field in (answers[place] ?? {}), `${place}: ${field}`)
    }
  })
})
