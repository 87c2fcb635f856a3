import { MeshError } from '@hedgerow/protocols/errors'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { Trust } from '@hedgerow/protocols/membership'
import type { FastifyPluginAsync } from 'fastify'
import { toString as encode } from 'uint8arrays/to-string'
import { MAX_SNAPSHOT, SNAPSHOT_PATH, sealedAdverts, snapshotOf } from '../discovery/index.ts'
import { MAX_LISTENERS } from './constants.ts'

/** Events that may wait for a slow reader; one that falls further behind is cut off and comes back for what is known. */
const MAX_WAITING = 2 * MAX_SNAPSHOT
export const KEEPALIVE_INTERVAL = 20_000

export interface EventComponents {
  ledger: Ledger
  trust: Trust
  /** an entry point that has been silent for so long that it is none */
  isGone(peerId: string): boolean
  /** milliseconds between two lines that say nothing, but keep proxies from cutting the stream. @default 20,000 */
  keepaliveInterval?: number
}

/**
 * `GET /events`: the sealed statements as they arrive, in base64, for those who check them themselves (pages). The
 * event's name is the statement's type. Revocations (`revocation`) are signed text as they are. It begins with the adverts known now, after which `caught-up` says how many.
 */
export function eventRoutes({
  ledger,
  trust,
  isGone,
  keepaliveInterval = KEEPALIVE_INTERVAL
}: EventComponents): FastifyPluginAsync {
  return async app => {
    let listening = 0
    const streams = new Set<() => void>()
    app.addHook('preClose', async () => {
      for (const end of streams) end()
    })

    app.get(
      SNAPSHOT_PATH,
      { schema: { tags: ['mesh'], summary: 'The sealed adverts and the revocations this peer knows' } },
      async () => snapshotOf(ledger, trust, isGone)
    )

    app.get(
      '/events',
      {
        schema: { tags: ['mesh'], summary: 'Adverts, goodbyes and load reports as they arrive (server-sent events)' },
        // An answer to HEAD would never end.
        exposeHeadRoute: false
      },
      async (_request, reply) => {
        if (listening >= MAX_LISTENERS)
          throw new MeshError('Busy', `${MAX_LISTENERS} listeners are connected already; ask another peer`, {
            retry_after: 10
          })
        const { raw } = reply
        const extra = reply.getHeaders()
        reply.hijack()
        if (raw.destroyed) return
        listening++
        const flat: Record<string, string | number | string[]> = {}
        for (const [name, value] of Object.entries(extra)) if (value != null) flat[name] = value
        raw.writeHead(200, {
          ...flat,
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no'
        })
        raw.flushHeaders()
        // All that is known may be more than a reader takes at once: it waits for the reader, and news waits behind it.
        const known = sealedAdverts(ledger)
        const waiting = trust.revocations().map(revocationEvent)
        waiting.push(...known.map(advert => `event: advert\ndata: ${advert}\n\n`))
        waiting.push(`event: caught-up\ndata: ${known.length}\n\n`)
        const flush = (): void => {
          while (waiting.length > 0 && !raw.writableNeedDrain) raw.write(waiting.shift())
        }
        const send = (text: string): void => {
          waiting.push(text)
          flush()
          if (waiting.length > MAX_WAITING) raw.destroy()
        }
        const unlistenTrust = trust.addListener((_revocation, token) => send(revocationEvent(token)))
        const unlisten = ledger.addListener(({ statement, bytes }) =>
          send(`event: ${statement.type}\ndata: ${encode(bytes, 'base64')}\n\n`)
        )
        const keepalive = setInterval(() => send(': still here\n\n'), keepaliveInterval)
        const leave = (): void => {
          unlisten()
          unlistenTrust()
          clearInterval(keepalive)
        }
        const end = (): void => {
          leave()
          raw.removeListener('drain', flush).end()
        }
        streams.add(end)
        raw.on('drain', flush).once('close', () => {
          leave()
          listening--
          streams.delete(end)
        })
        flush()
      }
    )
  }
}

function revocationEvent(token: string): string {
  return `event: revocation\ndata: ${token}\n\n`
}
