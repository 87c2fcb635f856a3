import { askPeer, learnAddrs } from '@hedgerow/daemon/discovery'
import type { Invoker, Path } from '@hedgerow/protocols/invocation'
import { readAnswer } from '../../../source/api.ts'
import type { DaemonSource } from '../../../source/daemon.ts'
import { SHAPES } from '../../../source/shapes.ts'
import type { Check, Verdict } from '../index.ts'

/** Workers that are tried. */
const MAX_TRIED = 5

export const direct: Check = {
  id: 'direct',
  title: 'direct path',
  limit: 5000,
  needs: ['join'],
  late: 'workers take connections and do not answer: look into their logs',
  async look({ joined, local }, signal) {
    if (joined == null) throw new Error('it has not joined')
    const { node, view, invoker } = joined.peer
    const workers = [...view.peers()].filter(({ advert }) => advert.role === 'worker').slice(0, MAX_TRIED)
    const patience = AbortSignal.any([signal, AbortSignal.timeout(4500)])
    const ways = await Promise.all(
      workers.map(async ({ advert: { peerId, name } }) => {
        try {
          await learnAddrs(node, view, peerId)
          await askPeer(invoker, peerId, '/health', { signal: patience })
          const back = local == null ? undefined : await wayBack(peerId, local, invoker, patience)
          return { name, path: invoker.route(peerId)?.path, ...(back == null ? {} : { back }) }
        } catch {
          return { name, path: undefined }
        }
      })
    )
    return judgeDirect(ways)
  }
}

/**
 * How a worker reaches the daemon of this machine, as that worker says, once they have had something to do with each other.
 *
 * @returns undefined where it isn't told, or is asked of itself
 */
async function wayBack(
  worker: string,
  local: DaemonSource,
  invoker: Invoker,
  signal: AbortSignal
): Promise<string | undefined> {
  const { peer_id } = local.via
  if (worker === peer_id) return undefined
  try {
    await local.ping(worker, signal)
    const path = `/api/peers/${peer_id}`
    const answer = await askPeer(invoker, worker, path, { signal })
    return readAnswer(answer, SHAPES.peer, path).peer.path ?? undefined
  } catch {
    return undefined
  }
}

/** A worker, and how it was reached; undefined = not at all. `back`: how it reaches the daemon of this machine. */
interface Way {
  name: string
  path: Path | undefined
  back?: string
}

export function judgeDirect(ways: readonly Way[]): Verdict {
  const by = (path: Path | undefined): string[] => ways.flatMap(way => (way.path === path ? [way.name] : [])).sort()
  const backBy = (path: Path): string[] => ways.filter(({ back }) => back === path).map(({ name }) => name)
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
  const back = [
    ...(backBy('direct').length > 0 ? [`directly by ${backBy('direct').join(', ')}`] : []),
    ...(backBy('relayed').length > 0 ? [`through a relay by ${backBy('relayed').join(', ')}`] : [])
  ]
  const found = `reached ${parts.join('; ')}${back.length === 0 ? '' : `; the daemon here is reached ${back.join('; ')}`}`
  // Requests arrive over a relay too, only slower, so that is nothing to mend.
  return { state: by('direct').length > 0 ? 'well' : 'none', found }
}
