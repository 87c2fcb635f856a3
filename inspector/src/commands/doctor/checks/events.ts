import type { Node } from '@hedgerow/daemon/node'
import { advertTopic, HTTP_PROTOCOL } from '@hedgerow/protocols/ids'
import type { Check, Verdict } from '../index.ts'
import { offered } from '../offers.ts'

const CAUGHT_UP = 'event: caught-up'
/** Adverts and load reports, as they were gossiped to the peer that passes them on. */
const NEWS = /\nevent: (advert|load|goodbye)\n/
/** Characters kept of what has come: a line may come in two pieces. */
const TAIL = 64
/** Milliseconds to listen for news: idle workers report every few seconds. */
const PATIENCE = 5000

export const events: Check = {
  id: 'events',
  title: 'gossip',
  limit: PATIENCE + 1000,
  needs: ['join'],
  late: 'a connected peer takes connections and does not answer: restart it',
  async look({ joined }, signal) {
    if (joined == null) throw new Error('it has not joined')
    const { node, view, invoker, self } = joined.peer
    const [peer] = await speakers(joined.peer)
    if (peer == null) throw new Error('no connected peer passes events on')
    const heard = { caughtUp: false, news: false }
    const patience = AbortSignal.timeout(PATIENCE)
    try {
      const { body } = await invoker.invoke(
        peer,
        { method: 'GET', path: '/events', headers: { accept: 'text/event-stream' }, body: null },
        { signal: AbortSignal.any([signal, patience]) }
      )
      let tail = ''
      for await (const chunk of body) {
        const text = `${tail}${Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')}`
        const from = heard.caughtUp ? 0 : text.indexOf(CAUGHT_UP)
        if (from >= 0) {
          heard.caughtUp = true
          heard.news = NEWS.test(text.slice(from))
        }
        if (heard.news) break
        tail = text.slice(-TAIL)
      }
    } catch (err) {
      if (!patience.aborted) throw err
    }
    const neighbours = node.services.pubsub.getSubscribers(advertTopic(self.mesh)).length
    return judgeEvents({ ...heard, neighbours, services: offered(view).length })
  }
}

async function speakers({ node }: { node: Node }): Promise<string[]> {
  const known = await Promise.all(node.getPeers().map(peer => node.peerStore.get(peer).catch(() => undefined)))
  return known.flatMap(peer => (peer?.protocols.includes(HTTP_PROTOCOL) === true ? [peer.id.toString()] : []))
}

/** @param neighbours connected peers that gossip about adverts @param services that somebody offers */
export function judgeEvents({
  caughtUp,
  news,
  neighbours,
  services
}: {
  caughtUp: boolean
  news: boolean
  neighbours: number
  services: number
}): Verdict {
  const fix =
    'the relay hears nothing of its workers: look whether they are connected (hedgerow peers), and into its log'
  if (!caughtUp) return { state: 'wrong', found: 'a connected peer does not say what it knows', fix }
  if (neighbours === 0)
    return {
      state: 'wrong',
      found: 'no connected peer gossips in this mesh',
      fix: 'the relay must be of the same mesh and version'
    }
  if (news)
    return {
      state: 'well',
      found: `heard from workers; ${neighbours === 1 ? '1 connected peer gossips' : `${neighbours} connected peers gossip`}`
    }
  if (services === 0) return { state: 'none', found: 'nobody runs anything, so there is nothing to hear' }
  return {
    state: 'wrong',
    found: `nothing heard within ${PATIENCE / 1000} s, though ${services} services are offered`,
    fix
  }
}
