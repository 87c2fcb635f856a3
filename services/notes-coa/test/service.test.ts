import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'

const FOLDER = fileURLToPath(new URL('..', import.meta.url))
const Manifest = Type.Object({
  name: Type.String(),
  backend: Type.Object({
    process: Type.Object({ command: Type.Array(Type.String()), env: Type.Record(Type.String(), Type.String()) })
  }),
  operations: Type.Array(Type.Object({ method: Type.String(), path: Type.String() }))
})

async function manifest(): Promise<Type.Static<typeof Manifest>> {
  return Value.Parse(Manifest, parse(await readFile(`${FOLDER}hedgerow.service.yaml`, 'utf8')))
}

describe('the service as the daemon starts it', () => {
  let child: ChildProcess
  let url: string

  before(async () => {
    const { command } = (await manifest()).backend.process
    const [, ...args] = command
    child = spawn(process.execPath, args, {
      cwd: FOLDER,
      env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', HEDGEROW_PARENT: 'stdin', COA_CONFIG: '' },
      stdio: ['pipe', 'ignore', 'pipe']
    })
    assert.ok(child.stderr != null)
    for await (const line of createInterface({ input: child.stderr })) {
      const entry: { url?: string } = JSON.parse(line)
      if (entry.url == null) continue
      url = entry.url
      break
    }
    child.stderr.resume()
  })
  after(() => {
    child.kill('SIGKILL')
  })

  const post = (body: string, type = 'application/json'): Promise<Response> =>
    fetch(`${url}/convert`, { method: 'POST', headers: { 'content-type': type }, body })

  it('answers what its manifest declares', async () => {
    for (const { method, path } of (await manifest()).operations) {
      const reply = method === 'GET' ? await fetch(`${url}${path}`) : await post('{"notes": "Owes Very £100."}')
      assert.equal(reply.status, 200, path)
    }
  })

  it('takes the body of older frontends', async () => {
    const reply = await post('{"text": "Owes Very £100."}')
    const { letter, format, status } = Value.Parse(
      Type.Object({ letter: Type.String(), format: Type.String(), status: Type.String() }),
      await reply.json()
    )
    assert.equal(format, 'text')
    assert.equal(status, 'draft')
    assert.match(letter, /Very/)
  })

  it('takes notes as they are, as plain text', async () => {
    const reply = await post('Owes Very £100.', 'text/plain; charset=utf-8')
    assert.equal(reply.status, 200)
    assert.match(Value.Parse(Type.Object({ letter: Type.String() }), await reply.json()).letter, /Very/)
  })

  for (const [what, status, body, type] of [
    ['broken JSON', 400, '{"notes": ', 'application/json'],
    ['no body', 400, '', 'application/json'],
    ['neither notes nor text', 422, '{"client": "Ann"}', 'application/json'],
    ['notes and another text', 422, '{"notes": "a", "text": "b"}', 'application/json'],
    ['notes that are no text', 422, '{"notes": 5}', 'application/json'],
    ['an unknown format', 422, '{"notes": "a", "format": "pdf"}', 'application/json'],
    ['a client that is a number', 422, '{"notes": "a", "client": 7}', 'application/json'],
    ['a list', 422, '[]', 'application/json'],
    ['no notes at all', 422, '{"notes": ""}', 'application/json'],
    ['notes of spaces', 422, '{"text": " \\n "}', 'application/json'],
    ['an empty text', 422, ' ', 'text/plain'],
    ['another media type', 415, '<notes/>', 'application/xml'],
    ['a body over the limit', 413, JSON.stringify({ notes: 'a'.repeat(1100 * 1024) }), 'application/json']
  ] as const) {
    it(`answers ${what} with ${status}, and goes on`, async () => {
      const reply = await post(body, type)
      assert.equal(reply.status, status)
      assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.equal(Value.Parse(Type.Object({ status: Type.Number() }), await reply.json()).status, status)
      assert.equal((await post('{"notes": "Owes Very £100."}')).status, 200)
    })
  }

  it('answers many at once, each with its own letter', async () => {
    const letters = await Promise.all(
      Array.from({ length: 24 }, async (_, i) => {
        const reply = await post(JSON.stringify({ notes: `Client: Ann Lee\nDebts:\n- Very: £${100 + i}.07` }))
        return Value.Parse(Type.Object({ letter: Type.String() }), await reply.json()).letter
      })
    )
    letters.forEach((letter, i) => {
      const sums = new Set(letter.match(/£\d+\.07/g))
      assert.deepEqual([...sums], [`£${100 + i}.07`])
    })
  })

  it('answers /health while it converts notes of the largest size', async () => {
    const notes = '£1 '.repeat(66_000)
    let converting = 4
    const letters = Promise.all(
      Array.from({ length: converting }, () =>
        post(JSON.stringify({ notes })).finally(() => {
          converting--
        })
      )
    )
    const waits: number[] = []
    while (converting > 0) {
      const started = performance.now()
      assert.equal((await fetch(`${url}/health`)).status, 200)
      waits.push(performance.now() - started)
    }
    for (const { status } of await letters) assert.equal(status, 200)
    assert.ok(waits.length >= 5, `${waits.length} answers while it was busy`)
    assert.ok(Math.max(...waits) < 1_000, `${Math.max(...waits)} ms`)
  }).timeout(120_000)

  it('ends when the daemon is gone', async () => {
    const gone = once(child, 'exit')
    child.stdin?.end()
    assert.deepEqual(await gone, [0, null])
  })
})
