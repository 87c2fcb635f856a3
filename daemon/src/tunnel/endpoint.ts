/** What `cloudflared` says of itself at its metrics endpoint. */
import { request } from 'undici'
import { MAX_ANSWER } from './constants.ts'

export interface Seen {
  /** it has a connection to Cloudflare */
  ready: boolean
  /** of a quick tunnel, once it has one */
  url?: string
}

export interface LookInit {
  port: number
  /** whether to ask for its name, which only quick tunnels know */
  named: boolean
  /** milliseconds for each answer */
  timeout: number
  signal: AbortSignal
}

/** @returns undefined when nobody answers */
export async function look({ port, named, timeout, signal }: LookInit): Promise<Seen | undefined> {
  const ask = (path: string): Promise<Answer> =>
    get(`http://127.0.0.1:${port}${path}`, AbortSignal.any([signal, AbortSignal.timeout(timeout)]))
  try {
    const ready = await ask('/ready')
    if (named) return { ready: ready.status === 200 }
    const name = await ask('/quicktunnel')
    const url = name.status === 200 ? readQuickTunnel(name.body) : undefined
    return { ready: ready.status === 200, ...(url == null ? {} : { url }) }
  } catch {
    return undefined
  }
}

/** The public URL in `{"hostname": "some-words.trycloudflare.com"}`; undefined while it has no name, or for no name. */
export function readQuickTunnel(body: Buffer): string | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(body.toString())
  } catch {
    return undefined
  }
  if (typeof answer !== 'object' || answer == null || !('hostname' in answer)) return undefined
  const { hostname } = answer
  // A name that everybody is told of: lower-case DNS labels, and a port at most.
  const isName =
    typeof hostname === 'string' &&
    hostname.length <= 253 &&
    /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z][a-z\d-]{0,61}[a-z\d](?::\d{1,5})?$/.test(hostname)
  return isName ? URL.parse(`https://${hostname}`)?.origin : undefined
}

interface Answer {
  status: number
  body: Buffer
}

async function get(url: string, signal: AbortSignal): Promise<Answer> {
  const { statusCode, body } = await request(url, { signal, reset: true })
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER) throw new Error(`${url} answers more than ${MAX_ANSWER} bytes`)
    chunks.push(chunk)
  }
  return { status: statusCode, body: Buffer.concat(chunks) }
}
