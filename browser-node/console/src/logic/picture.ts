import type { PeerInfo, PeerPath } from '@hedgerow/browser-node'
import { count, listed } from './words.ts'

/** What the picture and its list show of a peer. */
export interface Dot {
  id: string
  label: string
  kind: 'page' | 'relay' | 'worker'
  path: PeerPath
  /** 0 to 1: how much of what it can do at once it is doing */
  load: number
  silent: boolean
  /** place in shares of the canvas, from its middle: -1 to 1 */
  x: number
  y: number
}

export const PAGE = 'page'
const INNER = 0.55

/** Share of its places that a worker has in use: its busiest service counts. */
export function loadOf({ loads }: Pick<PeerInfo, 'loads'>): number {
  const shares = Object.values(loads).map(({ inFlight, queued, concurrency }) =>
    concurrency > 0 ? (inFlight + queued) / concurrency : 0
  )
  return Math.min(1, Math.max(0, ...shares))
}

/**
 * This page in the middle, workers in a wide fan above it, relays close by below. Order is by name, so that a peer keeps its place when others
 * come and go as far as that is possible.
 */
export function dotsOf(peers: readonly PeerInfo[]): Dot[] {
  const sorted = [...peers].sort((a, b) => a.name.localeCompare(b.name) || a.peerId.localeCompare(b.peerId))
  const relays = sorted.filter(({ role }) => role === 'relay')
  const workers = sorted.filter(({ role }) => role === 'worker')
  return [
    { id: PAGE, label: 'This page', kind: 'page', path: 'direct', load: 0, silent: false, x: 0, y: 0 },
    ...relays.map((peer, i) => dot(peer, 'relay', at(INNER, 90 + fan(i, relays.length, 40, 120)))),
    ...workers.map((peer, i) =>
      dot(peer, 'worker', at(ring(i, workers.length), -90 + fan(i, workers.length, 120, 300)))
    )
  ]
}

function dot(peer: PeerInfo, kind: Dot['kind'], place: { x: number; y: number }): Dot {
  const { peerId: id, name: label, path, silent } = peer
  return { id, label, kind, path, load: loadOf(peer), silent, ...place }
}

/** So many that they would touch stand on two rings. */
function ring(i: number, n: number): number {
  return n > 14 && i % 2 === 1 ? 0.8 : 1
}

/** Degrees from the middle of a fan: `step` apart, closer where the fan would be wider than `most`. */
function fan(i: number, n: number, step: number, most: number): number {
  return n < 2 ? 0 : (i - (n - 1) / 2) * Math.min(step, most / (n - 1))
}

function at(radius: number, degrees: number): { x: number; y: number } {
  const angle = (degrees * Math.PI) / 180
  return { x: Math.cos(angle) * radius, y: Math.sin(angle) * radius }
}

/** The picture in one sentence, for who can't see it. */
export function summaryOf(peers: readonly PeerInfo[]): string {
  const workers = peers.filter(({ role }) => role === 'worker')
  if (workers.length === 0) return 'No computer is here yet.'
  const by = (path: PeerPath): number => workers.filter(worker => worker.path === path).length
  const ways = [
    by('direct') > 0 ? `${by('direct')} reached directly` : '',
    by('relayed') > 0 ? `${by('relayed')} through a relay` : '',
    by('none') > 0 ? `${by('none')} not connected` : ''
  ].filter(words => words !== '')
  const [only] = ways
  if (ways.length === 1 && only != null)
    return `${count(workers.length, 'computer')}, ${workers.length > 1 ? 'all ' : ''}${only.replace(/^\d+ /, '')}.`
  return `${count(workers.length, 'computer')}: ${listed(ways)}.`
}
