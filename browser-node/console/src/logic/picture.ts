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
 * This page in the middle, relays close by, workers around. Order is by id, so that a peer keeps its place when others
 * come and go as far as that is possible.
 */
export function dotsOf(peers: readonly PeerInfo[]): Dot[] {
  const sorted = [...peers].sort((a, b) => (a.peerId < b.peerId ? -1 : 1))
  const relays = sorted.filter(({ role }) => role === 'relay')
  const workers = sorted.filter(({ role }) => role === 'worker')
  return [
    { id: PAGE, label: 'This page', kind: 'page', path: 'direct', load: 0, silent: false, x: 0, y: 0 },
    ...relays.map((peer, i) => dot(peer, 'relay', around(i, relays.length, INNER, Math.PI / 2))),
    ...workers.map((peer, i) => dot(peer, 'worker', around(i, workers.length, ring(i, workers.length), -Math.PI / 2)))
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

function around(i: number, n: number, radius: number, from: number): { x: number; y: number } {
  const angle = from + (2 * Math.PI * i) / Math.max(1, n)
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
  return `${count(workers.length, 'computer')}: ${listed(ways)}.`
}
