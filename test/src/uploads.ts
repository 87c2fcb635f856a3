/** Clients that upload large bodies in the ways that programs do: each gives back the answer, or throws why it has none. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { fetch } from 'undici'

export interface Upload {
  url: string
  /** bytes */
  size: number
  /** without saying the size first */
  chunked: boolean
  headers?: Record<string, string>
}

export interface UploadAnswer {
  status: number
  type: string
  body: string
}

const PIECE = Buffer.alloc(64 * 1024, 'y')

function* pieces(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += PIECE.length) yield PIECE.subarray(0, Math.min(PIECE.length, size - sent))
}

async function* streamed(size: number): AsyncGenerator<Buffer> {
  yield* pieces(size)
}

export const UPLOADERS: Record<string, (upload: Upload) => Promise<UploadAnswer>> = {
  async fetch({ url, size, chunked, headers = {} }) {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: chunked ? streamed(size) : Buffer.alloc(size),
      duplex: 'half'
    })
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      body: await response.text()
    }
  },

  async 'node:http'({ url, size, chunked, headers = {} }) {
    const length = chunked ? {} : { 'content-length': size }
    const request = httpRequest(url, { method: 'POST', headers: { ...headers, ...length } })
    const broken = once(request, 'close').then(() => {
      throw new Error('the connection was closed')
    })
    broken.catch(() => {})
    const body = pieces(size)
    const send = (): void => {
      for (let piece = body.next(); piece.done !== true; piece = body.next()) if (!request.write(piece.value)) return
      request.end()
    }
    request.on('drain', send)
    send()
    const [response] = (await Promise.race([once(request, 'response'), broken])) as [IncomingMessage]
    let text = ''
    for await (const chunk of response) text += chunk
    request.destroy()
    return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body: text }
  },

  async curl({ url, size, chunked, headers = {} }) {
    const length = chunked ? [] : ['transfer-encoding:', `content-length: ${size}`]
    const lines = [...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), ...length, 'expect:']
    const child = spawn(
      'curl',
      [
        ...['--silent', '--show-error', '--request', 'POST', '--upload-file', '-'],
        ...lines.flatMap(line => ['--header', line]),
        ...['--write-out', '\n%{http_code} %{content_type}', url]
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] }
    )
    // It stops reading its input when it has an answer.
    child.stdin.on('error', () => {})
    Readable.from(pieces(size)).pipe(child.stdin)
    let out = ''
    let complaint = ''
    child.stdout.on('data', chunk => {
      out += chunk
    })
    child.stderr.on('data', chunk => {
      complaint += chunk
    })
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`${complaint.trim()} (exit code ${code})`)
    const [, body = '', status, type = ''] = /^([\s\S]*)\n(\d+) (.*)$/.exec(out) ?? []
    return { status: Number(status), type, body }
  },

  /** As browsers do: it looks for an answer when all is sent, and not sooner. */
  async 'a late reader'({ url, size, chunked, headers = {} }) {
    const { hostname, port, pathname } = new URL(url)
    const socket = connect(Number(port), hostname).pause()
    const write = async (data: string | Buffer): Promise<void> => {
      if (!socket.write(data)) await once(socket, 'drain')
    }
    const lines = [
      `POST ${pathname} HTTP/1.1`,
      'host: localhost',
      'connection: close',
      chunked ? 'transfer-encoding: chunked' : `content-length: ${size}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    ]
    await write(`${lines.join('\r\n')}\r\n\r\n`)
    for (const piece of pieces(size)) {
      if (chunked) await write(`${piece.length.toString(16)}\r\n`)
      await write(piece)
      if (chunked) await write('\r\n')
    }
    if (chunked) await write('0\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    const [head = '', body = ''] = text.split('\r\n\r\n')
    return {
      status: Number(head.split(' ')[1]),
      type: /^content-type: (.*)$/im.exec(head)?.[1]?.trim() ?? '',
      body
    }
  }
}
