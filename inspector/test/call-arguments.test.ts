import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type CallOptions, parseHeaders, parseTarget, prepareCall } from '../src/commands/call.ts'
import { type CallData, readData } from '../src/commands/call-data.ts'
import { InspectorError } from '../src/errors.ts'

const NOTHING = Readable.from([])
const isUsage = (err: unknown): boolean => err instanceof InspectorError && err.code === 'Usage'
const prepare = (target: string, options: Partial<CallOptions> = {}) =>
  prepareCall(target, { headers: [], ...options }, NOTHING)

async function bytesOf({ body }: CallData): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body)
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('what is called', () => {
  it('is a service, or a service and a path with its query', () => {
    assert.deepEqual(parseTarget('ner'), { service: 'ner', path: '/' })
    assert.deepEqual(parseTarget('rag/documents/a%2Fb?x=1'), { service: 'rag', path: '/documents/a%2Fb?x=1' })
    assert.deepEqual(parseTarget('rag?collection=x'), { service: 'rag', path: '/?collection=x' })
  })

  it('may be pasted from a URL', () => {
    assert.deepEqual(parseTarget('/service/ner/extract'), { service: 'ner', path: '/extract' })
    assert.deepEqual(parseTarget('/ner'), { service: 'ner', path: '/' })
  })

  it('is encoded where a URL needs it', () => {
    assert.equal(parseTarget('rag/documents?q=a b£').path, '/documents?q=a%20b%C2%A3')
  })

  it('is refused when it names no service', () => {
    for (const target of ['', '/', 'a b', '?x=1', 'http://127.0.0.1/x'])
      assert.throws(() => parseTarget(target), isUsage)
  })
})

describe('the request', () => {
  it('is a POST with data, else a GET, unless -X says otherwise', async () => {
    assert.equal((await prepare('ner', { data: '{}' })).call.method, 'POST')
    assert.equal((await prepare('ner/health')).call.method, 'GET')
    assert.equal((await prepare('rag/documents/1', { method: 'delete' })).call.method, 'DELETE')
    assert.equal((await prepare('ner', { method: 'GET' })).call.method, 'GET')
  })

  it('needs data or a path', async () => {
    await assert.rejects(prepare('ner'), isUsage)
  })

  it('is not sent with JSON that is broken, unless it is said to be something else', async () => {
    await assert.rejects(prepare('ner', { data: '{bad' }), isUsage)
    const { call } = await prepare('ner', { data: '{bad', headers: ['Content-Type: text/plain'] })
    assert.equal(call.headers['content-type'], 'text/plain')
    assert.match(String((await prepare('ner', { data: 'hello world' })).call.headers['content-type']), /^text\/plain/)
  })

  it('refuses methods and headers that HTTP does not have', async () => {
    await assert.rejects(prepare('ner/x', { method: 'NO SUCH' }), isUsage)
    await assert.rejects(prepare('ner/x', { method: 'CONNECT' }), isUsage)
    for (const line of [
      'no colon',
      ': empty',
      'a b: c',
      'x: a\nb: c',
      'x: £\u{1F600}',
      'Transfer-Encoding: chunked',
      'content-length: 5'
    ])
      assert.throws(() => parseHeaders([line]), isUsage, line)
  })

  it('keeps every header, and those that come twice twice', () => {
    assert.deepEqual(parseHeaders(['X-One: 1', 'x-two:2', 'X-One:  3: 4', 'x-empty:']), {
      'x-one': ['1', '3: 4'],
      'x-two': '2',
      'x-empty': ''
    })
  })

  it('says its length and type, unless a header says another', async () => {
    const { call } = await prepare('ner', { data: '{"a":"£"}' })
    assert.deepEqual(call.headers, { 'content-length': '10', 'content-type': 'application/json' })
    const told = await prepare('ner', { data: '{}', headers: ['Content-Type: text/plain'], timeout: 2.5 })
    assert.equal(told.call.headers['content-type'], 'text/plain')
    assert.equal(told.call.headers['hedgerow-timeout'], '2.5')
  })
})

describe('data', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hedgerow-inspector-test-'))
  })
  after(async () => rm(folder, { recursive: true, force: true }))

  const file = async (name: string, content: string | Uint8Array): Promise<CallData> => {
    await writeFile(join(folder, name), content)
    return readData(`@${join(folder, name)}`, NOTHING)
  }

  it('is JSON where it parses as JSON, else text', async () => {
    assert.equal((await readData('{"a":1}', NOTHING)).type, 'application/json')
    assert.equal((await readData('[1', NOTHING)).type, 'text/plain; charset=utf-8')
  })

  it('is what the name of its file says, and else what its first bytes say', async () => {
    const png = Buffer.from('89504e470d0a1a0a0000', 'hex')
    assert.equal((await file('a.pdf', '%PDF-1.7')).type, 'application/pdf')
    assert.equal((await file('a.JPEG', 'x')).type, 'image/jpeg')
    assert.match((await file('a.docx', 'PK')).type ?? '', /wordprocessingml/)
    assert.equal((await file('a.html', '<p>')).type, 'text/html; charset=utf-8')
    assert.equal((await file('a.md', '# a')).type, 'text/markdown; charset=utf-8')
    assert.equal((await file('unnamed', png)).type, 'image/png')
    assert.equal((await file('unnamed-2', Buffer.from([0xff, 0xfe, 0x00]))).type, 'application/octet-stream')
  })

  it('comes from stdin byte for byte, and its type from what it is', async () => {
    const data = await readData('@-', Readable.from([Buffer.from('{"a":'), Buffer.from('1}')]))
    assert.equal(data.type, 'application/json')
    assert.equal(data.length, 7)
    assert.equal((await bytesOf(data)).toString(), '{"a":1}')
  })

  it('streams when it is large, with nothing lost, from a file or stdin', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024, 'abcdefg')
    const fromFile = await file('large.bin', large)
    assert.equal(fromFile.length, large.byteLength)
    assert.ok(!(fromFile.body instanceof Uint8Array))
    assert.ok((await bytesOf(fromFile)).equals(large))
    const pieces = Array.from({ length: 48 }, (_, i) => large.subarray(i * 65_536, (i + 1) * 65_536))
    const fromStdin = await readData('@-', Readable.from(pieces))
    assert.equal(fromStdin.length, undefined)
    assert.ok((await bytesOf(fromStdin)).equals(large))
  })

  it('is a usage error when the file is missing, or a folder, or unnamed', async () => {
    for (const data of [`@${join(folder, 'none')}`, `@${folder}`, '@'])
      await assert.rejects(readData(data, NOTHING), isUsage, data)
  })
})
