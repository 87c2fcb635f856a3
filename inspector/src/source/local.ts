import { InspectorError } from '../errors.ts'
import { DaemonSource } from './daemon.ts'

type Env = Record<string, string | undefined>

/** A daemon by itself; a relay, and the workers that `npm start` starts beside it. */
const PORTS = [8000, 8080, 8081, 8082, 8083]
/** A mesh started with another port: the relay has it, the workers the next three. */
const NEXT = 3
/** Milliseconds to wait for an answer to "who are you?" from this very machine. */
const PATIENCE = 2000

/** Where a daemon of this machine may listen, the likeliest first. */
export function localUrls(env: Env): string[] {
  const port = Number(env.HEDGEROW_HTTP_PORT)
  const ports =
    Number.isInteger(port) && port > 0 && port < 65536
      ? Array.from({ length: NEXT + 1 }, (_, i) => port + i).filter(one => one < 65536)
      : PORTS
  return ports.map(one => `http://127.0.0.1:${one}`)
}

/** Asks all of them at once and takes the first in order that answers. @throws {InspectorError} Unreachable */
export async function findLocal(env: Env, signal: AbortSignal): Promise<DaemonSource> {
  const urls = localUrls(env)
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
  const results = await Promise.allSettled(urls.map(url => DaemonSource.open(url, patience)))
  signal.throwIfAborted()
  const [first, ...others] = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  await Promise.all(others.map(source => source.close()))
  if (first != null) {
    first.siblings = others.map(({ via }) => via.url)
    return first
  }
  throw new InspectorError('Unreachable', `no daemon answers on this machine (tried ${listOf(urls)})`, [
    ...results.flatMap((result, i) => (result.status === 'rejected' ? remarkOn(urls[i] ?? '', result.reason) : [])),
    'start one with `npm start`; one on another port is found by HEDGEROW_HTTP_PORT, one elsewhere by --daemon <url>; --relay <url> joins a mesh without one'
  ])
}

/** What is odd about a port where something is, but no daemon that answers. */
function remarkOn(url: string, reason: unknown): string[] {
  if (reason instanceof InspectorError) return reason.cause instanceof InspectorError ? [reason.message] : []
  return [`${url} takes connections, but did not answer within ${PATIENCE / 1000} s`]
}

function listOf([first, ...rest]: string[]): string {
  return [first, ...rest.map(url => url.slice(url.lastIndexOf(':')))].join(', ')
}
