import {
  makePlan,
  NOTHING_YET,
  type PlaceableService,
  type PlacementMemory,
  type PlacementWorker,
  place
} from '../../src/placement/index.ts'

export const SECOND = 1000

export function service(name: string, more: Partial<PlaceableService> = {}): PlaceableService {
  return {
    name,
    tier: 'cpu',
    replicas: 2,
    needs: { cores: 1, memory: 256, disk: 0, gpu: false, gpuMemory: 0 },
    everywhere: false,
    ...more
  }
}

export function worker(peerId: string, more: Partial<PlacementWorker['capabilities']> = {}): PlacementWorker {
  return {
    peerId,
    capabilities: { cores: 8, memory: 16_384, disk: 100_000, gpus: [], arch: 'x64', platform: 'linux', ...more },
    eligible: [],
    services: []
  }
}

interface Simulated {
  worker: PlacementWorker
  /** what it has heard of others, by peer */
  heard: Map<string, { advert: PlacementWorker; sequence: number; at: number }>
  /** when each of its services was started */
  started: Map<string, number>
  memory: PlacementMemory
  sequence: number
  advertiseAt: number
  /** it has asked around before it decides for the first time */
  decidesFrom: number
  /** services that never become healthy on it */
  broken: Set<string>
}

export interface WorldInit {
  services: PlaceableService[]
  random(): number
  /** milliseconds that a service takes to become healthy */
  startTime?: number
  /** share of adverts that get lost */
  loss?: number
  /** milliseconds that an advert takes at most */
  delay?: number
}

const ADVERT_EVERY = 10 * SECOND
/** Five adverts missed in a row: one in 100,000 at the losses simulated. */
export const SILENT_AFTER = 65 * SECOND
const REST_BEFORE = 5 * SECOND

/** Workers that see one another late, or not at all, and each decide for themselves; in steps of one second. */
export class World {
  readonly services: PlaceableService[]
  readonly #random: () => number
  readonly #startTime: number
  readonly #loss: number
  readonly #delay: number
  readonly #workers = new Map<string, Simulated>()
  #mail: Array<{ at: number; to: string; advert: PlacementWorker; sequence: number; gone: boolean }> = []
  #apart = new Set<string>()
  now = 0
  starts: Array<{ peerId: string; service: string; at: number }> = []
  stops: Array<{ peerId: string; service: string; at: number }> = []

  constructor({ services, random, startTime = 3 * SECOND, loss = 0, delay = 2 * SECOND }: WorldInit) {
    this.services = services
    this.#random = random
    this.#startTime = startTime
    this.#loss = loss
    this.#delay = delay
  }

  join(worker: PlacementWorker, broken: string[] = []): void {
    const eligible = worker.eligible.length > 0 ? worker.eligible : this.services.map(({ name }) => name)
    this.#workers.set(worker.peerId, {
      worker: { ...worker, eligible },
      heard: new Map(),
      started: new Map(),
      memory: NOTHING_YET,
      sequence: 0,
      advertiseAt: this.now,
      decidesFrom: this.now + REST_BEFORE,
      broken: new Set(broken)
    })
    // A snapshot of what others know, as a relay gives one.
    for (const one of this.#workers.values()) this.#post(one, worker.peerId, one.sequence, false)
  }

  /** @param goodbye whether the others are told, or have to find out */
  leave(peerId: string, goodbye = true): void {
    const leaver = this.#workers.get(peerId)
    this.#workers.delete(peerId)
    if (leaver != null && goodbye) this.#send(leaver, true)
  }

  /** From now on these and the others don't hear of each other. */
  partition(peers: string[]): void {
    this.#apart = new Set(peers)
  }

  /** Whatever was broken on a worker works again. */
  repair(peerId: string): void {
    this.#workers.get(peerId)?.broken.clear()
  }

  describe(peerId: string): PlacementWorker {
    return this.#workers.get(peerId)?.worker ?? worker(peerId)
  }

  run(milliseconds: number, eachSecond: () => void = () => {}): void {
    const end = this.now + milliseconds
    while (this.now < end) {
      this.now += SECOND
      this.#deliver()
      for (const simulated of this.#workers.values()) this.#step(simulated)
      eachSecond()
    }
  }

  /** who runs a service and is healthy */
  running(name: string): string[] {
    return [...this.#workers.values()]
      .flatMap(one => (this.#healthy(one).includes(name) ? [one.worker.peerId] : []))
      .sort()
  }

  /** services that a worker has started */
  has(peerId: string): string[] {
    return [...(this.#workers.get(peerId)?.started.keys() ?? [])].sort()
  }

  layout(): Record<string, string[]> {
    return Object.fromEntries(this.services.map(({ name }) => [name, this.running(name)]))
  }

  /** what everybody would agree on who saw all */
  ideal(): Record<string, string[]> {
    const plan = makePlan(
      this.services,
      [...this.#workers.values()].map(one => one.worker)
    )
    return Object.fromEntries(this.services.map(({ name }) => [name, [...(plan.chosen.get(name) ?? [])].sort()]))
  }

  get peers(): string[] {
    return [...this.#workers.keys()]
  }

  #step(one: Simulated): void {
    const before = this.#healthy(one).join()
    // Not all at once, as with the jitter of the loop.
    if (this.now >= one.decidesFrom && this.#random() < 0.7) this.#decide(one)
    if (before !== this.#healthy(one).join() || this.now >= one.advertiseAt) this.#send(one, false)
  }

  #decide(one: Simulated): void {
    const { worker, heard, started } = one
    const others = [...heard.values()].filter(({ at }) => this.now - at < SILENT_AFTER).map(({ advert }) => advert)
    const { run, memory } = place({
      self: worker.peerId,
      now: this.now,
      services: this.services,
      workers: [{ ...worker, services: this.#healthy(one) }, ...others],
      pinned: [],
      forbidden: [],
      current: new Set(started.keys()),
      memory: one.memory
    })
    one.memory = memory
    for (const name of run) {
      if (started.has(name)) continue
      started.set(name, this.now)
      this.starts.push({ peerId: worker.peerId, service: name, at: this.now })
    }
    for (const name of [...started.keys()]) {
      if (run.has(name)) continue
      started.delete(name)
      this.stops.push({ peerId: worker.peerId, service: name, at: this.now })
    }
  }

  #healthy({ started, broken }: Simulated): string[] {
    return [...started].flatMap(([name, at]) => (this.now - at >= this.#startTime && !broken.has(name) ? [name] : []))
  }

  #send(one: Simulated, gone: boolean): void {
    one.advertiseAt = this.now + ADVERT_EVERY * (0.8 + 0.4 * this.#random())
    const sequence = ++one.sequence
    for (const to of this.#workers.keys()) this.#post(one, to, sequence, gone)
  }

  #post(one: Simulated, to: string, sequence: number, gone: boolean): void {
    const { peerId } = one.worker
    if (to === peerId || this.#apart.has(to) !== this.#apart.has(peerId) || this.#random() < this.#loss) return
    const advert = { ...one.worker, services: this.#healthy(one) }
    this.#mail.push({ at: this.now + this.#random() * this.#delay, to, advert, sequence, gone })
  }

  #deliver(): void {
    const due = this.#mail.filter(({ at }) => at <= this.now)
    this.#mail = this.#mail.filter(({ at }) => at > this.now)
    for (const { to, advert, sequence, gone } of due) {
      const receiver = this.#workers.get(to)
      const known = receiver?.heard.get(advert.peerId)
      if (receiver == null || (known != null && known.sequence >= sequence)) continue
      const at = gone ? Number.NEGATIVE_INFINITY : this.now
      receiver.heard.set(advert.peerId, { advert, sequence, at })
    }
  }
}
