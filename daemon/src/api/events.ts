import { MeshError } from '@hedgerow/protocols/errors'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { FastifyPluginAsync } from 'fastify'
import { toString as encode } from 'uint8arrays/to-string'
import { SNAPSHOT_PATH, snapshotOf } from '../discovery/index.ts'

const MAX_LISTENERS = 256
/** Bytes that may wait for a slow reader; one that falls further behind is cut off and comes back for a snapshot. */
const MAX_BACKLOG = 1024 * 1024
const KEEPALIVE_INTERVAL = 20_000

/**
 * `GET /events`: the sealed statements as they arrive, in base64, for those who check them themselves (pages). The
 * event's name is the statement's type. It begins with the adverts known now.
 */
export function eventRoutes({ ledger }: { ledger: Ledger }): FastifyPluginAsync {
  return async app => {
    let listening = 0
    const streams = new Set<() => void>()
    app.addHook('preClose', async () => {
      for (const end of streams) end()
    })

    app.get(SNAPSHOT_PATH, { schema: { tags: ['mesh'], summary: 'The sealed adverts this peer knows' } }, async () =>
      snapshotOf(ledger)
    )

    app.get(
      '/events',
      { schema: { tags: ['mesh'], summary: 'Adverts, goodbyes and load reports as they arrive (server-sent events)' } },
      async (_request, reply) => {
        if (listening >= MAX_LISTENERS)
          throw new MeshError('Busy', `${MAX_LISTENERS} listeners are connected already; ask another peer`, {
            retry_after: 10
          })
        listening++
        const { raw } = reply
        const extra = reply.getHeaders()
        reply.hijack()
        const flat: Record<string, string | number | string[]> = {}
        for (const [name, value] of Object.entries(extra)) if (value != null) flat[name] = value
        raw.writeHead(200, {
          ...flat,
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no'
        })
        const send = (text: string): void => {
          raw.write(text)
          if (raw.writableLength > MAX_BACKLOG) raw.destroy()
        }
        const say = (type: string, bytes: Uint8Array): void =>
          send(`event: ${type}\ndata: ${encode(bytes, 'base64')}\n\n`)
        for (const advert of snapshotOf(ledger).adverts) send(`event: advert\ndata: ${advert}\n\n`)
        const unlisten = ledger.addListener(({ statement, bytes }) => say(statement.type, bytes))
        const keepalive = setInterval(() => send(': still here\n\n'), KEEPALIVE_INTERVAL)
        const end = (): void => {
          raw.end()
        }
        streams.add(end)
        raw.once('close', () => {
          listening--
          streams.delete(end)
          unlisten()
          clearInterval(keepalive)
        })
      }
    )
  }
}
