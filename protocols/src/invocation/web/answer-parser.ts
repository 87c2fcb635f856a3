import { HTTPParser } from '@achingbrain/http-parser-js'
import type { Headers } from '../index.ts'
import { MAX_HEADER_SIZE } from './constants.ts'

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
  end(): void
}

/** Headers that are never joined to one: each line stands for itself. */
const SEPARATE = new Set(['set-cookie'])

/** Reads the answer to one request from the bytes of a stream. */
export class AnswerParser {
  readonly #parser: InstanceType<typeof HTTPParser>

  /** @param hasBody false for the answer to a HEAD, which only looks as if a body followed */
  constructor(hasBody: boolean, events: AnswerEvents) {
    const parser = new HTTPParser('RESPONSE')
    parser.maxHeaderSize = MAX_HEADER_SIZE
    let informational = false
    parser[HTTPParser.kOnHeadersComplete] = ({ statusCode, headers, shouldKeepAlive }) => {
      // after 1xx, the answer is still to come
      informational = statusCode < 200
      if (!informational) events.head({ status: statusCode, headers: joined(headers), keepAlive: shouldKeepAlive })
      return hasBody ? 0 : 1
    }
    parser[HTTPParser.kOnBody] = (chunk, offset, length) => events.data(chunk.subarray(offset, offset + length))
    parser[HTTPParser.kOnMessageComplete] = () => {
      if (!informational) events.end()
    }
    this.#parser = parser
  }

  /** @throws {Error} when it isn't HTTP */
  execute(bytes: Uint8Array): void {
    const result = this.#parser.execute(bytes)
    if (result instanceof Error) throw result
  }

  /** The stream has ended: some answers end with it. @throws {Error} when this one is not complete */
  finish(): void {
    const result = this.#parser.finish()
    if (result instanceof Error) throw result
  }
}

function joined(raw: string[]): Headers {
  const headers: Headers = {}
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase()
    const value = raw[i + 1] ?? ''
    // not what every object has, such as `constructor`
    const known = Object.hasOwn(headers, name) ? headers[name] : undefined
    if (known == null) headers[name] = value
    else if (SEPARATE.has(name)) headers[name] = [known, value].flat()
    else headers[name] = `${[known].flat().join(', ')}, ${value}`
  }
  return headers
}
