import type { Headers } from '@hedgerow/protocols/invocation'

/** Of one connection only (RFC 9110, section 7.6.1), and what older agents add. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings'
])

/**
 * Of a request, besides: `host` is the backend's own, `expect` is settled with whoever sent it, and where a request came
 * from is not for the caller to say.
 */
const NOT_FROM_CALLERS = new Set(['host', 'expect', 'forwarded', 'via', 'x-real-ip', 'client-ip', 'true-client-ip'])

const isForwarding = (name: string): boolean => name.startsWith('x-forwarded-') || name.startsWith('hedgerow-')

/**
 * The headers that a backend gets, as undici takes them: names and values in turn.
 *
 * @param sized whether the body's length is known without its header
 * @param stamp headers that the daemon vouches for; they take the place of the caller's
 */
export function backendHeaders(headers: Headers, stamp: Headers, sized: boolean): string[] {
  const list: string[] = []
  const listed = connectionOptions(headers.connection)
  for (const name in headers) {
    if (HOP_BY_HOP.has(name) || NOT_FROM_CALLERS.has(name) || isForwarding(name) || listed?.has(name)) continue
    if (name in stamp || (sized && name === 'content-length')) continue
    push(list, name, headers[name])
  }
  for (const name in stamp) push(list, name, stamp[name])
  return list
}

/** The headers of an answer, without what concerns only our connection with the backend or isn't for it to say. */
export function answerHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const kept: Headers = {}
  const listed = connectionOptions(headers.connection)
  for (const name in headers) {
    if (HOP_BY_HOP.has(name) || name.startsWith('hedgerow-') || listed?.has(name)) continue
    const value = headers[name]
    if (value != null) kept[name] = value
  }
  return kept
}

function push(list: string[], name: string, value: string | string[] | undefined): void {
  if (value == null) return
  if (typeof value === 'string') list.push(name, value)
  else for (const one of value) list.push(name, one)
}

/** Headers that `Connection` names are of this connection, too; it can't name away what every exchange needs. */
function connectionOptions(value: string | string[] | undefined): Set<string> | undefined {
  if (value == null || value === 'keep-alive' || value === 'close') return undefined
  const names = String(value)
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
  return new Set(names.filter(name => name !== 'content-length' && name !== 'content-type'))
}
