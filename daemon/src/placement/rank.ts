import type { PlaceableService, PlacementWorker } from './index.ts'

/**
 * Workers in the order in which they should run a service: highest random weight (rendezvous hashing), so that a worker
 * that comes or goes moves only what falls to it. Larger machines weigh more. One with a GPU comes last for what needs
 * none: it is kept for what does.
 */
export function rank(service: PlaceableService, workers: readonly PlacementWorker[]): PlacementWorker[] {
  return workers
    .map(worker => ({
      worker,
      scarce: !service.needs.gpu && worker.capabilities.gpus.length > 0 ? 1 : 0,
      score: score(service.name, worker)
    }))
    .sort((a, b) => a.scarce - b.scarce || b.score - a.score || (a.worker.peerId < b.worker.peerId ? -1 : 1))
    .map(({ worker }) => worker)
}

function score(service: string, { peerId, capabilities }: PlacementWorker): number {
  // Weighted rendezvous: -ln(u) of a uniform u is exponential, and the least of several falls to each by its weight.
  return weight(capabilities.cores) / -Math.log(hash(`${service}\n${peerId}`))
}

/** 64 cores are worth more than 2, but not 32 times as much: they would take everything. */
const weight = (cores: number): number => Math.log2(1 + Math.max(1, cores))

/** A text as a number, uniform in (0, 1) and the same everywhere: cyrb53, two multiplicative hashes mixed. */
export function hash(text: string): number {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return (4294967296 * (2097151 & b) + (a >>> 0) + 0.5) / 2 ** 53
}
