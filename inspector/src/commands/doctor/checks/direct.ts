import { askPeer, learnAddrs } from '@hedgerow/daemon/discovery'
import type { Path } from '@hedgerow/protocols/invocation'
import type { Check, Verdict } from '../index.ts'

/** Workers that are tried. */
const MAX_TRIED = 5

export const direct: Check = {
  id: 'direct',
  title: 'direct path',
  limit: 5000,
  needs: ['join'],
  late: 'workers take connections and do not answer: look into their logs',
  async look({ joined }, signal) {
    if (joined == null) throw new Error('it has not joined')
    const { node, view, invoker } = joined.peer
    const workers = [...view.peers()].filter(({ advert }) => advert.role === 'worker').slice(0, MAX_TRIED)
    const patience = AbortSignal.any([signal, AbortSignal.timeout(4500)])
    const ways = await Promise.all(
      workers.map(async ({ advert: { peerId, name } }) => {
        try {
          await learnAddrs(node, view, peerId)
          await askPeer(invoker, peerId, '/health', { signal: patience })
          return { name, path: invoker.route(peerId)?.path }
        } catch {
          return { name, path: undefined }
        }
      })
    )
    return judgeDirect(ways)
  }
}

/** @param ways workers, and how they were reached; undefined = not at all */
export function judgeDirect(ways: ReadonlyArray<{ name: string; path: Path | undefined }>): Verdict {
  const by = (path: Path | undefined): string[] => ways.flatMap(way => (way.path === path ? [way.name] : [])).sort()
  const lost = by(undefined)
  if (ways.length === 0) return { state: 'none', found: 'there is no worker to connect with' }
  if (lost.length === ways.length)
    return {
      state: 'wrong',
      found: `none of ${ways.length} workers can be reached (${lost.join(', ')})`,
      fix: 'let this machine connect out by TCP; a worker behind a NAT must keep a place on a relay (/p2p-circuit in HEDGEROW_LISTEN)'
    }
  const parts = [
    ...(by('direct').length > 0 ? [`directly: ${by('direct').join(', ')}`] : []),
    ...(by('relayed').length > 0 ? [`through a relay: ${by('relayed').join(', ')}`] : []),
    ...(lost.length > 0 ? [`not: ${lost.join(', ')}`] : [])
  ]
  // Requests arrive over a relay too, only slower, so that is nothing to mend.
  return { state: by('direct').length > 0 ? 'well' : 'none', found: `reached ${parts.join('; ')}` }
}
