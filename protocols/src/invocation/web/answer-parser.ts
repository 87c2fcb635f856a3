/**
 * HTTP/1.1 answers (RFC 9112), read strictly: whatever could be read in two ways is refused, since a worker may lie, and a
 * length that is guessed would end an answer too early without anybody noticing.
 */
import type { Headers } from '../index.ts'
import { MAX_CHUNK_LINE, MAX_HEADER_SIZE } from './constants.ts'

export interface AnswerHead {
  status: number
  /** lower-case names; a list where one came several times */
  headers: Headers
  /** another request may follow on the same stream */
  keepAlive: boolean
}

export interface AnswerEvents {
  head(head: AnswerHead): void
  data(piece: Uint8Array): void
  /** @param surplus bytes followed that nobody asked for */
  end(surplus: boolean): void
}

type State = 'status' | 'header' | 'sized' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'over'

/** Headers that are never joined to one: each line stands for itself. */
const SEPARATE = new Set(['set-cookie'])
const LF = 0x0a
const latin1 = new TextDecoder('latin1')

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/
/** A name is a token; a value has no control characters but tabs (RFC 9110, 5.5). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is looked for
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\u0000-\u0008\u000a-\u001f\u007f]*?)[ \t]*$/
const LENGTH = /^\d{1,15}$/
const CHUNK_SIZE = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i

/** Reads the answer to one request from the bytes of a stream. */
export class AnswerParser {
  readonly #hasBody: boolean
  readonly #events: AnswerEvents
  #state: State = 'status'
  /** of a line whose end has yet to come */
  #line = ''
  /** characters of lines that may come before the next bytes of the body */
  #room = MAX_HEADER_SIZE
  /** bytes of the body, or of its chunk, that have yet to come */
  #missing = 0
  #head: AnswerHead = { status: 0, headers: {}, keepAlive: false }

  /** @param hasBody false for the answer to a HEAD, which only looks as if a body followed */
  constructor(hasBody: boolean, events: AnswerEvents) {
    this.#hasBody = hasBody
    this.#events = events
  }

  /** @throws {Error} when it isn't HTTP */
  execute(bytes: Uint8Array): void {
    let rest = bytes
    while (rest.byteLength > 0 && this.#state !== 'over') {
      rest = this.#inBody ? this.#takeData(rest) : this.#takeLine(rest)
    }
    if (this.#state === 'over') this.#events.end(rest.byteLength > 0)
  }

  /** The stream has ended: some answers end with it. @throws {Error} when this one is not complete */
  finish(): void {
    if (this.#state !== 'until-close') throw new Error('the answer is not complete')
    this.#state = 'over'
    this.#events.end(false)
  }

  get #inBody(): boolean {
    return this.#state === 'sized' || this.#state === 'chunk' || this.#state === 'until-close'
  }

  #takeData(bytes: Uint8Array): Uint8Array {
    if (this.#state === 'until-close') {
      this.#events.data(bytes)
      return bytes.subarray(bytes.byteLength)
    }
    const piece = bytes.subarray(0, this.#missing)
    this.#missing -= piece.byteLength
    if (this.#missing === 0) this.#state = this.#state === 'sized' ? 'over' : 'chunk-end'
    this.#events.data(piece)
    return bytes.subarray(piece.byteLength)
  }

  #takeLine(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(LF)
    const part = bytes.subarray(0, end === -1 ? bytes.byteLength : end)
    this.#room -= part.byteLength + 1
    if (this.#room < 0) throw new Error('its lines are too long')
    this.#line += latin1.decode(part)
    if (end === -1) return bytes.subarray(bytes.byteLength)
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line
    this.#line = ''
    this.#onLine(line)
    return bytes.subarray(end + 1)
  }

  #onLine(line: string): void {
    switch (this.#state) {
      case 'status':
        this.#onStatus(line)
        break
      case 'header':
        if (line === '') this.#onHead()
        else this.#onHeader(line)
        break
      case 'chunk-size':
        this.#onChunkSize(line)
        break
      case 'chunk-end':
        if (line !== '') throw new Error('a chunk is longer than it says')
        this.#expectChunk()
        break
      default:
        // a trailer, which nobody reads
        if (line === '') this.#state = 'over'
    }
  }

  #onStatus(line: string): void {
    const [, minor, status] = STATUS_LINE.exec(line) ?? []
    // nobody asked to switch protocols
    if (status == null || status === '101') throw new Error('it does not begin as an answer does')
    // no prototype: a name may be that of a property of every object
    this.#head = { status: Number(status), headers: Object.create(null), keepAlive: minor === '1' }
    this.#state = 'header'
  }

  #onHeader(line: string): void {
    const [, key, value] = HEADER_LINE.exec(line) ?? []
    if (key == null || value == null) throw new Error('a line of its head is not a header')
    const { headers } = this.#head
    const name = key.toLowerCase()
    const known = headers[name]
    if (known == null) headers[name] = value
    else headers[name] = SEPARATE.has(name) ? [known, value].flat() : `${known}, ${value}`
  }

  #onHead(): void {
    const { status, headers } = this.#head
    // after 1xx, the answer is still to come
    if (status < 200) {
      this.#state = 'status'
      return
    }
    const coding = headers['transfer-encoding']
    const length = lengthIn(headers['content-length'])
    if (coding != null && (length != null || String(coding).toLowerCase() !== 'chunked'))
      throw new Error('its length is said in more ways than one, or in none that is known')
    const closes = String(headers.connection ?? '')
      .toLowerCase()
      .split(/[\s,]+/)
      .includes('close')
    if (!this.#hasBody || status === 204 || status === 304 || length === 0) this.#state = 'over'
    else if (coding != null) this.#expectChunk()
    else if (length != null) {
      this.#state = 'sized'
      this.#missing = length
    } else this.#state = 'until-close'
    this.#head.keepAlive &&= !closes && this.#state !== 'until-close'
    this.#events.head(this.#head)
  }

  #expectChunk(): void {
    this.#state = 'chunk-size'
    this.#room = MAX_CHUNK_LINE
  }

  #onChunkSize(line: string): void {
    const [, size] = CHUNK_SIZE.exec(line) ?? []
    if (size == null) throw new Error('a chunk does not say its size')
    this.#missing = Number.parseInt(size, 16)
    this.#room = this.#missing === 0 ? MAX_HEADER_SIZE : MAX_CHUNK_LINE
    this.#state = this.#missing === 0 ? 'trailer' : 'chunk'
  }
}

/** Said several times it must be the same each time. @throws {Error} when it isn't a length */
function lengthIn(header: string | string[] | undefined): number | undefined {
  if (header == null) return undefined
  const [length = '', ...others] = new Set(String(header).split(/[ \t]*,[ \t]*/))
  if (others.length > 0 || !LENGTH.test(length)) throw new Error('its content-length is no length')
  return Number(length)
}
