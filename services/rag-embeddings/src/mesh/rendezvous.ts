import { createHash } from 'node:crypto'

/**
 * Peers in the order in which they should hold `key`: rendezvous hashing. Everyone who knows the same peers gets the
 * same order, and a peer that comes or goes changes nobody else's place.
 */
export function rendezvous(key: string, peers: Iterable<string>): string[] {
  return [...peers]
    .map(peer => ({ peer, weight: createHash('sha256').update(`${key}\n${peer}`).digest('hex') }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1))
    .map(({ peer }) => peer)
}
