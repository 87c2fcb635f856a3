import { InspectorError } from '../errors.ts'
import type { KnownPeer, MeshSource } from '../source/index.ts'
import { nearMatches } from './near.ts'

type Named = Pick<KnownPeer, 'name' | 'peer_id' | 'role'>

/**
 * The peer that people mean: by its name, its id, or any beginning or end of its id that no other has.
 *
 * @throws {InspectorError} when there is none, or more than one
 */
export function resolvePeer<P extends Named>(peers: P[], given: string): P {
  const wanted = given.replace(/^…/, '')
  const rules: Array<(peer: Named) => boolean> = [
    ({ peer_id }) => peer_id === wanted,
    ({ name }) => name === wanted,
    ({ name }) => name.toLowerCase() === wanted.toLowerCase(),
    ({ peer_id }) => wanted !== '' && (peer_id.startsWith(wanted) || peer_id.endsWith(wanted))
  ]
  for (const rule of rules) {
    const [found, ...others] = peers.filter(rule)
    if (found == null) continue
    if (others.length === 0) return found
    throw new InspectorError('Failed', `${given} may be any of ${others.length + 1} peers`, [
      ...[found, ...others].slice(0, 8).map(({ name, role, peer_id }) => `${name}  ${role}  ${peer_id}`),
      'name one by more of its id'
    ])
  }
  throw unknownPeer(given, peers)
}

/** {@link resolvePeer} among all peers that the source knows. */
export async function findPeer(source: MeshSource, given: string, signal: AbortSignal): Promise<KnownPeer> {
  return resolvePeer(await source.names(signal), given)
}

function unknownPeer(given: string, peers: Named[]): InspectorError {
  const near = nearMatches(
    given,
    peers.flatMap(({ name, peer_id }) => [name, peer_id])
  )
  const names = peers.map(({ name }) => name).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const hint =
    near.length > 0
      ? `did you mean ${near.join(' or ')}?`
      : peers.length === 0
        ? 'no peer is known'
        : `there are: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}`
  return new InspectorError('Failed', `there is no peer ${given}`, [hint])
}
