import { fetchBootstrap } from '@hedgerow/daemon/discovery'
import { request } from 'undici'
import { readAnswer } from '../../../source/api.ts'
import { reasonOf } from '../../../source/daemon.ts'
import { SHAPES } from '../../../source/shapes.ts'
import type { Check, RelayAnswer, Verdict, Visit } from '../index.ts'

/** Bytes of an answer of `/health`. */
const MAX_ANSWER = 64 * 1024
const NOT_THERE = 'start the relay there, or name another URL; a firewall, a proxy or a tunnel may be in between'

export const relay: Check = {
  id: 'relay',
  title: 'relay',
  limit: 5000,
  needs: ['name'],
  late: NOT_THERE,
  async look(visit, signal) {
    try {
      const answer = await askHealth(visit, signal)
      visit.bootstrap = await fetchBootstrap(visit.url.href, signal)
      visit.relay = answer
      return judgeRelay(answer, visit.bootstrap)
    } catch (err) {
      if (signal.aborted) throw err
      return { state: 'wrong', found: `${visit.url.origin}: ${reasonOf(err)}`, fix: NOT_THERE }
    }
  }
}

async function askHealth({ url, now }: Visit, signal: AbortSignal): Promise<RelayAnswer> {
  const target = new URL('/health', url)
  const from = now()
  const { statusCode, headers, body } = await request(target, { signal })
  const askedAt = (from + now()) / 2
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER) throw new Error(`${target} answers more than ${MAX_ANSWER} bytes: it is no relay`)
    chunks.push(chunk)
  }
  const { status, worker_id } = readAnswer(
    { status: statusCode, body: Buffer.concat(chunks) },
    SHAPES.greeting,
    '/health'
  )
  const date = Date.parse(String(headers.date ?? ''))
  return { status, name: worker_id, date: Number.isNaN(date) ? undefined : date, askedAt }
}

export function judgeRelay(
  { name, status }: Pick<RelayAnswer, 'name' | 'status'>,
  { mesh, peers }: { mesh: string; peers: readonly unknown[] }
): Verdict {
  if (peers.length === 0)
    return {
      state: 'wrong',
      found: `${name} names no address to join by`,
      fix: 'set HEDGEROW_URL on it to the URL by which it is reached'
    }
  if (status === 'healthy') return { state: 'well', found: `${name} is healthy, of the mesh ${mesh}` }
  return {
    state: 'wrong',
    found: `${name} is ${status}`,
    fix:
      status === 'starting'
        ? 'wait a little; if it stays so, its log says what it waits for'
        : 'it is being stopped: name another relay'
  }
}
