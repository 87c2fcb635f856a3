import assert from 'node:assert/strict'
import { AnswerParser } from '../src/invocation/web/answer-parser.ts'
import { MAX_CHUNK_LINE, MAX_HEADER_SIZE } from '../src/invocation/web/constants.ts'

interface Read {
  status?: number
  headers: Record<string, string | string[] | undefined>
  keepAlive?: boolean
  body: string
  ended: boolean
  surplus?: boolean
}

interface ReadInit {
  /** bytes that come at once. @default all */
  pieces?: number
  hasBody?: boolean
  /** the stream ends after the bytes. @default false */
  finish?: boolean
}

const HEAD = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${HEAD}transfer-encoding: chunked\r\n\r\n`

function read(text: string, { pieces = text.length, hasBody = true, finish = false }: ReadInit = {}): Read {
  const result: Read = { headers: {}, body: '', ended: false }
  const parser = new AnswerParser(hasBody, {
    head: ({ status, headers, keepAlive }) => {
      assert.equal(result.status, undefined, 'there is one head')
      Object.assign(result, { status, keepAlive, headers: { ...headers } })
    },
    data: piece => {
      result.body += Buffer.from(piece).toString('latin1')
    },
    end: surplus => {
      assert.equal(result.ended, false, 'it ends once')
      Object.assign(result, { ended: true, surplus })
    }
  })
  const bytes = Buffer.from(text, 'latin1')
  for (let start = 0; start < bytes.length && !result.ended; start += pieces)
    parser.execute(bytes.subarray(start, start + pieces))
  if (finish && !result.ended) parser.finish()
  return result
}

describe('the parser of answers in pages', () => {
  const WHOLE: Array<[string, string, Partial<Read>, ReadInit?]> = [
    ['a length', `${HEAD}content-length: 5\r\n\r\nhello`, { body: 'hello', keepAlive: true }],
    ['a length of 0', `${HEAD}content-length: 0\r\n\r\n`, { body: '' }],
    ['the same length twice', `${HEAD}content-length: 5\r\ncontent-length: 5\r\n\r\nhello`, { body: 'hello' }],
    ['chunks', `${CHUNKED}5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n`, { body: 'hello world', keepAlive: true }],
    ['trailers', `${CHUNKED}1\r\na\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n`, { body: 'a' }],
    ['lines that end in LF alone', 'HTTP/1.1 200 OK\ncontent-length: 1\n\na', { body: 'a' }],
    ['no reason', 'HTTP/1.1 404 \r\ncontent-length: 0\r\n\r\n', { status: 404 }],
    ['interim answers', `HTTP/1.1 103 Early\r\nlink: x\r\n\r\n${HEAD}content-length: 1\r\n\r\na`, { body: 'a' }],
    ['Connection: close', `${HEAD}connection: Close\r\ncontent-length: 0\r\n\r\n`, { keepAlive: false }],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', { body: 'a', keepAlive: false }],
    ['204 with a length', 'HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n', { status: 204, body: '' }],
    ['HEAD with a length', `${HEAD}content-length: 5\r\n\r\n`, { body: '' }, { hasBody: false }],
    ['HEAD with chunks', CHUNKED, { body: '' }, { hasBody: false }],
    ['no length', `${HEAD}\r\nuntil the end`, { body: 'until the end', keepAlive: false }, { finish: true }],
    [
      'bytes above ASCII',
      `${HEAD}x-name: Zo\u00eb\r\ncontent-length: 0\r\n\r\n`,
      { headers: named('x-name', 'Zo\u00eb') }
    ]
  ]
  for (const [what, text, expected, init] of WHOLE) {
    it(`reads ${what}, however it comes in pieces`, () => {
      for (let pieces = 1; pieces <= text.length; pieces++) {
        const { headers, ...result } = read(text, { ...init, pieces })
        assert.partialDeepStrictEqual({ headers, ...result }, { status: 200, ended: true, surplus: false, ...expected })
      }
    })
  }

  function named(name: string, value: string): Read['headers'] {
    return { [name]: value }
  }

  it('joins headers of one name, but for cookies, and takes any name', () => {
    const { headers } = read(
      `${HEAD}Vary: a\r\nvary:  b \r\nset-cookie: a\r\nset-cookie: b\r\n__proto__: x\r\nconstructor: y\r\ncontent-length: 0\r\n\r\n`
    )
    assert.equal(headers.vary, 'a, b')
    assert.deepEqual(headers['set-cookie'], ['a', 'b'])
    assert.equal(headers.constructor, 'y')
  })

  it('says that bytes followed which nobody asked for, and reads no second answer from them', () => {
    const one = `${HEAD}content-length: 2\r\n\r\nok`
    assert.partialDeepStrictEqual(read(one + one), { body: 'ok', ended: true, surplus: true })
  })

  const REFUSED: Array<[string, string]> = [
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a status beyond 599', 'HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 042 No\r\ncontent-length: 0\r\n\r\n'],
    ['switched protocols', 'HTTP/1.1 101 Go\r\nupgrade: x\r\n\r\n'],
    ['a length in letters', `${HEAD}content-length: abc\r\n\r\nhello`],
    ['an empty length', `${HEAD}content-length:\r\n\r\nhello`],
    ['a negative length', `${HEAD}content-length: -5\r\n\r\nhello`],
    ['a length with a sign', `${HEAD}content-length: +5\r\n\r\nhello`],
    ['a broken length', `${HEAD}content-length: 1.5\r\n\r\nhello`],
    ['a length in hexadecimal', `${HEAD}content-length: 0x5\r\n\r\nhello`],
    ['a length beyond all numbers', `${HEAD}content-length: ${'9'.repeat(30)}\r\n\r\nhello`],
    ['two lengths', `${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`],
    [
      'a length besides chunks',
      `${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`
    ],
    ['a coding that it does not know', `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['a chunk of no size', `${CHUNKED}5\r\nhello\r\nzz\r\n\r\n`],
    ['a chunk of a negative size', `${CHUNKED}1\r\na\r\n-5\r\nbcdefgh`],
    ['an empty line for a size', `${CHUNKED}\r\n\r\n`],
    ['a chunk beyond all numbers', `${CHUNKED}${'f'.repeat(13)}\r\na`],
    ['a chunk that is longer than it says', `${CHUNKED}2\r\nabc\r\n0\r\n\r\n`],
    ['a header without a colon', `${HEAD}nothing\r\ncontent-length: 0\r\n\r\n`],
    ['a header without a name', `${HEAD}: x\r\ncontent-length: 0\r\n\r\n`],
    ['a space before the colon', `${HEAD}content-length : 0\r\n\r\n`],
    ['a folded header', `${HEAD}x: a\r\n b\r\ncontent-length: 0\r\n\r\n`],
    ['a control character', `${HEAD}x: a\u0000b\r\ncontent-length: 0\r\n\r\n`],
    ['a stray CR', `${HEAD}x: a\rcontent-length: 5\r\n\r\n`],
    ['endless headers', HEAD + 'x: y\r\n'.repeat(MAX_HEADER_SIZE)],
    ['an endless header', `${HEAD}x: ${'y'.repeat(MAX_HEADER_SIZE)}`],
    ['endless interim answers', 'HTTP/1.1 103 Early\r\n\r\n'.repeat(MAX_HEADER_SIZE)],
    ['an endless extension of a chunk', `${CHUNKED}1;${'x'.repeat(MAX_CHUNK_LINE)}`],
    ['endless trailers', `${CHUNKED}0\r\n${'x: y\r\n'.repeat(MAX_HEADER_SIZE)}`]
  ]
  for (const [what, text] of REFUSED) {
    it(`refuses ${what}`, () => {
      assert.throws(() => read(text), Error)
      assert.throws(() => read(text, { pieces: 7 }), Error)
    })
  }

  const INCOMPLETE: Array<[string, string]> = [
    ['within its head', 'HTTP/1.1 200'],
    ['within a length', `${HEAD}content-length: 5\r\n\r\nhell`],
    ['within chunks', `${CHUNKED}5\r\nhello\r\n`],
    ['within trailers', `${CHUNKED}0\r\n`],
    ['with nothing', '']
  ]
  for (const [where, text] of INCOMPLETE) {
    it(`takes an answer that ends ${where} for incomplete`, () => {
      assert.throws(() => read(text, { finish: true }), Error)
    })
  }
})
