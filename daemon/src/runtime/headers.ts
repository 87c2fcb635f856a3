import { connectionOptions, passesToCaller, passesToService } from '@hedgerow/protocols/fence'
import type { Headers } from '@hedgerow/protocols/invocation'

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
    if (!passesToService(name) || listed?.has(name)) continue
    if (Object.hasOwn(stamp, name) || (sized && name === 'content-length')) continue
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
    if (!passesToCaller(name) || listed?.has(name)) continue
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
