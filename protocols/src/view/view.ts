import { ADVERT_LIFETIME, type Advert, type Goodbye, MAX_SERVICES } from '../advert/index.ts'
import type { ServiceContract } from '../contract/index.ts'
import { OPEN_CLASSES } from '../data-class/index.ts'
import type { LoadReport } from '../load/index.ts'
import { GONE_MEMORY, LOAD_MEMORY, MAX_PEERS } from './constants.ts'
import { ServiceDirectory } from './directory.ts'
import type { Candidate, PeerEntry, View, ViewChange, ViewInit } from './index.ts'
import { type HeardLoad, silentFrom } from './silence.ts'

export function createView(init: ViewInit): View {
  return new MergedView(init)
}

interface KnownPeer {
  advert: Advert
  classes: readonly string[]
  /** when the advert arrived */
  advertAt: number
  lastSeen: number
  /** when it was first seen with a service that it still offers */
  since: Map<string, number>
}

interface Loads {
  /** when the last of them arrived */
  at: number
  byService: Map<string, HeardLoad>
}

const NO_LOADS: ReadonlyMap<string, HeardLoad> = new Map()

/**
 * Three tables, each merged by sequence number on its own, so that it doesn't matter in which order statements arrive:
 * adverts, the sequences of peers that left, and load reports (which may come before the advert they belong to).
 */
class MergedView implements View {
  private readonly adverts = new Map<string, KnownPeer>()
  /** in the order in which they left */
  private readonly gone = new Map<string, { sequence: bigint; at: number }>()
  private readonly loads = new Map<string, Loads>()
  private readonly directory: ServiceDirectory
  /** candidates as last asked for: they change seldom compared with how often they are asked for */
  private readonly answers = new Map<string, { candidates: Candidate[]; until: number }>()
  private readonly listeners = new Set<(change: ViewChange) => void>()
  private readonly now: () => number
  private readonly maxPeers: number

  constructor(init: ViewInit) {
    this.now = init.now
    this.maxPeers = init.maxPeers ?? MAX_PEERS
    this.directory = new ServiceDirectory(init.now)
  }

  learnAdvert(advert: Advert, classes: readonly string[] = OPEN_CLASSES): boolean {
    const { peerId, sequence } = advert
    const gone = this.gone.get(peerId)
    if (gone != null && sequence <= gone.sequence) return false
    const known = this.adverts.get(peerId)
    if (known != null && sequence <= known.advert.sequence) return false
    const now = this.now()
    if (known == null && this.adverts.size >= this.maxPeers) this.evict()
    const since = new Map<string, number>()
    for (const { contract } of advert.services) since.set(contract.name, known?.since.get(contract.name) ?? now)
    this.adverts.set(peerId, { advert, classes, advertAt: now, lastSeen: now, since })
    this.gone.delete(peerId)
    for (const { contract } of known?.advert.services ?? []) {
      if (!since.has(contract.name)) this.withdraw(peerId, contract.name)
    }
    for (const offer of advert.services) {
      this.directory.offer(peerId, offer, classes)
      this.answers.delete(offer.contract.name)
    }
    this.emit({ type: 'peer', peerId })
    return true
  }

  learnGoodbye({ peerId, sequence }: Goodbye): boolean {
    const gone = this.gone.get(peerId)
    if (gone != null && sequence <= gone.sequence) return false
    const known = this.adverts.get(peerId)
    if (known != null && sequence < known.advert.sequence) return false
    this.remember(peerId, sequence)
    if (known != null) this.remove(peerId, known)
    return true
  }

  expel(peerId: string): void {
    const known = this.adverts.get(peerId)
    if (known == null) return
    this.remember(peerId, known.advert.sequence)
    this.remove(peerId, known)
  }

  learnLoad(report: LoadReport): boolean {
    const { peerId, service } = report
    const loads = this.loads.get(peerId) ?? this.admitLoads(peerId)
    const last = loads.byService.get(service)
    if (last != null && report.sequence <= last.report.sequence) return false
    if (last == null && loads.byService.size >= MAX_SERVICES) return false
    const now = this.now()
    loads.at = now
    loads.byService.set(service, { report, at: now })
    const known = this.adverts.get(peerId)
    if (known != null) {
      known.lastSeen = now
      if (known.since.has(service)) this.answers.delete(service)
    }
    this.emit({ type: 'load', peerId, service })
    return true
  }

  learnContract(contract: ServiceContract): void {
    this.directory.ship(contract)
  }

  resolve(nameOrAlias: string): string | undefined {
    return this.directory.resolve(nameOrAlias)
  }

  contract(service: string): ServiceContract | undefined {
    return this.directory.contract(service)
  }

  services(): Iterable<ServiceContract> {
    return this.directory.contracts()
  }

  candidates(service: string): Candidate[] {
    const now = this.now()
    const answer = this.answers.get(service)
    if (answer != null && now < answer.until) return answer.candidates
    const offers = this.directory.offers(service)
    if (offers == null) return []
    const candidates: Candidate[] = []
    let until = Infinity
    for (const [peerId, offer] of offers) {
      const peer = this.adverts.get(peerId)
      if (peer == null || this.isExpired(peer, now)) continue
      const load = this.loads.get(peerId)?.byService.get(service)
      const silentAt = silentFrom(peer.advertAt, load)
      const silent = now >= silentAt
      const { advertAt, classes } = peer
      const since = peer.since.get(service) ?? advertAt
      candidates.push({ peerId, offer, load: load?.report, loadAt: load?.at, since, advertAt, silent, classes })
      until = Math.min(until, advertAt + ADVERT_LIFETIME, silent ? Infinity : silentAt)
    }
    this.answers.set(service, { candidates, until })
    return candidates
  }

  peer(peerId: string): PeerEntry | undefined {
    const known = this.adverts.get(peerId)
    const now = this.now()
    return known == null || this.isExpired(known, now) ? undefined : this.entry(peerId, known, now)
  }

  *peers(): Iterable<PeerEntry> {
    const now = this.now()
    for (const [peerId, known] of this.adverts) {
      if (!this.isExpired(known, now)) yield this.entry(peerId, known, now)
    }
  }

  sweep(): void {
    const now = this.now()
    for (const [peerId, known] of this.adverts) {
      if (!this.isExpired(known, now)) continue
      // The same advert may still lie in the DHT: it must not begin another life.
      this.remember(peerId, known.advert.sequence)
      this.remove(peerId, known)
    }
    for (const [peerId, { at }] of this.gone) {
      if (now - at >= GONE_MEMORY) this.gone.delete(peerId)
    }
    for (const [peerId, { at }] of this.loads) {
      if (!this.adverts.has(peerId) && now - at >= LOAD_MEMORY) this.loads.delete(peerId)
    }
    this.directory.sweep()
    for (const service of this.answers.keys()) {
      if (this.directory.offers(service) == null) this.answers.delete(service)
    }
  }

  addListener(listener: (change: ViewChange) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private entry(peerId: string, { advert, classes, advertAt, lastSeen }: KnownPeer, now: number): PeerEntry {
    const loads = this.loads.get(peerId)?.byService ?? NO_LOADS
    const silent =
      advert.services.length > 0 &&
      advert.services.every(({ contract }) => now >= silentFrom(advertAt, loads.get(contract.name)))
    return { advert, classes, lastSeen, loads, silent }
  }

  private isExpired({ advertAt }: KnownPeer, now: number): boolean {
    return now - advertAt >= ADVERT_LIFETIME
  }

  /** Whoever was heard of longest ago makes room. It may come back with the same advert: it didn't leave. */
  private evict(): void {
    const oldest = leastBy(this.adverts, ({ lastSeen }) => lastSeen)
    if (oldest != null) this.remove(...oldest)
  }

  private admitLoads(peerId: string): Loads {
    if (this.loads.size >= this.maxPeers) {
      const oldest = leastBy(this.loads, ({ at }) => at)
      if (oldest != null) this.loads.delete(oldest[0])
    }
    const loads: Loads = { at: this.now(), byService: new Map() }
    this.loads.set(peerId, loads)
    return loads
  }

  private remove(peerId: string, known: KnownPeer): void {
    this.adverts.delete(peerId)
    for (const service of known.since.keys()) this.withdraw(peerId, service)
    this.emit({ type: 'gone', peerId })
  }

  private withdraw(peerId: string, service: string): void {
    this.directory.withdraw(peerId, service)
    this.answers.delete(service)
  }

  private remember(peerId: string, sequence: bigint): void {
    this.gone.delete(peerId)
    for (const oldest of this.gone.keys()) {
      if (this.gone.size < this.maxPeers) break
      this.gone.delete(oldest)
    }
    this.gone.set(peerId, { sequence, at: this.now() })
  }

  private emit(change: ViewChange): void {
    for (const listener of this.listeners) listener(change)
  }
}

function leastBy<K, V>(map: ReadonlyMap<K, V>, measure: (value: V) => number): [K, V] | undefined {
  let least: [K, V] | undefined
  for (const entry of map) {
    if (least == null || measure(entry[1]) < measure(least[1])) least = entry
  }
  return least
}
