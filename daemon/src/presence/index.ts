/**
 * What this peer says of itself: its advert when something about it changes and every ten minutes, its load while it
 * works, its goodbye when it leaves.
 */
import { ADVERT_INTERVAL, type Advert } from '@hedgerow/protocols/advert'
import type { Provided } from '@hedgerow/protocols/ids'
import type { Ledger } from '@hedgerow/protocols/ledger'
import { BUSY_INTERVAL, IDLE_INTERVAL, type LoadReport, MAX_INTERVAL } from '@hedgerow/protocols/load'
import { sealStatement } from '@hedgerow/protocols/statement'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import type { Directory, Gossip } from '../discovery/index.ts'
import type { Sequence } from './sequence.ts'

export { Sequence } from './sequence.ts'

export interface PresenceComponents {
  gossip: Pick<Gossip, 'publish'>
  directory: Pick<Directory, 'provide' | 'withdraw' | 'putAdvert'>
  ledger: Ledger
  sequence: Sequence
  log: Logger
}

/** The parts of an advert that the rest of the peer knows. */
export type SelfDescription = Omit<Advert, 'peerId' | 'sequence'>
export type ServiceLoad = Pick<LoadReport, 'service' | 'inFlight' | 'queued' | 'concurrency' | 'latency' | 'errorRate'>

export interface PresenceInit {
  mesh: string
  privateKey: PrivateKey
  peerId: string
  describe(): SelfDescription
  loads(): ServiceLoad[]
  /** workers that report about a service, this one included: idle reports are spread over them */
  reporters(service: string): number
}

/** Milliseconds between two adverts of an entry point: entry points are gone after 120 s of silence. */
const ENTRY_POINT_INTERVAL = 45_000
/** Milliseconds in which changes are gathered into one advert. */
const GATHER = 100
const TICK = 250

interface Reported {
  load: ServiceLoad
  at: number
  interval: number
}

export class Presence {
  readonly #gossip: PresenceComponents['gossip']
  readonly #directory: PresenceComponents['directory']
  readonly #log: Logger
  readonly #init: PresenceInit
  readonly #unwatch: () => void
  readonly #provided = new Set<Provided>()
  readonly #reported = new Map<string, Reported>()
  readonly #sequence: Sequence
  #advertTimer: NodeJS.Timeout | undefined
  #advertisedAt = 0
  /** others enter the mesh here, and must know soon when it is gone */
  #isEntryPoint = false
  #tickTimer: NodeJS.Timeout | undefined
  #left = false

  constructor({ gossip, directory, ledger, sequence, log }: PresenceComponents, init: PresenceInit) {
    this.#sequence = sequence
    this.#gossip = gossip
    this.#directory = directory
    this.#log = log
    this.#init = init
    this.#unwatch = ledger.addListener(({ statement }) => {
      if (statement.type === 'load') return
      const { peerId, sequence } = statement.type === 'advert' ? statement.advert : statement.goodbye
      if (peerId !== init.peerId || sequence <= this.#sequence.last) return
      this.#sequence.continueFrom(sequence)
      this.changed()
    })
  }

  start(): void {
    this.#tickTimer = setInterval(() => this.#tick(), TICK)
    this.changed()
  }

  /** Something in the description is new: services, addresses, resources. */
  changed(): void {
    if (this.#left) return
    this.#advertTimer ??= setTimeout(() => {
      this.#advertTimer = undefined
      this.#advertise().catch(err => this.#log.error({ err }, 'could not advertise'))
    }, GATHER)
  }

  /** The connection to the mesh is new: say again what may have been said to nobody. */
  repeat(): void {
    this.#provided.clear()
    this.#reported.clear()
    this.changed()
  }

  /** Tells everybody that this peer leaves; nothing is said after it. */
  async goodbye(): Promise<void> {
    if (this.#left) return
    this.#left = true
    clearTimeout(this.#advertTimer)
    const bytes = await this.#seal({
      type: 'goodbye',
      goodbye: { peerId: this.#init.peerId, sequence: this.#sequence.next() }
    })
    await Promise.all([this.#gossip.publish('adverts', bytes), this.#sequence.keep()])
  }

  stop(): void {
    this.#left = true
    this.#unwatch()
    clearTimeout(this.#advertTimer)
    clearInterval(this.#tickTimer)
  }

  #seal(statement: Parameters<typeof sealStatement>[0]): Promise<Uint8Array> {
    return sealStatement(statement, this.#init)
  }

  async #advertise(): Promise<void> {
    const { peerId, describe } = this.#init
    const advert: Advert = { ...describe(), peerId, sequence: this.#sequence.next() }
    const bytes = await this.#seal({ type: 'advert', advert })
    if (this.#left) return
    this.#advertisedAt = Date.now()
    this.#isEntryPoint = isEntryPoint(advert)
    await this.#gossip.publish('adverts', bytes)
    // The DHT takes seconds and nobody waits for it: gossip has told those who are here.
    void this.#directory.putAdvert(peerId, bytes)
    this.#provide(advert)
    void this.#sequence.keep()
  }

  #provide(advert: Advert): void {
    const wanted = new Set<Provided>(advert.services.map(({ contract }) => `service:${contract.name}` as const))
    if (isEntryPoint(advert)) wanted.add('entry-point')
    for (const what of wanted) {
      if (this.#provided.has(what)) continue
      this.#provided.add(what)
      void this.#directory.provide(what)
    }
    for (const what of this.#provided) {
      if (wanted.has(what)) continue
      this.#provided.delete(what)
      void this.#directory.withdraw(what)
    }
  }

  #tick(): void {
    if (this.#left) return
    const now = Date.now()
    const interval = this.#isEntryPoint ? ENTRY_POINT_INTERVAL : ADVERT_INTERVAL
    if (this.#advertisedAt !== 0 && now - this.#advertisedAt > interval) this.changed()
    const loads = this.#init.loads()
    for (const load of loads) {
      const last = this.#reported.get(load.service)
      if (last == null || isDue(last, load, now)) this.#report(load, now)
    }
    for (const service of this.#reported.keys()) {
      if (!loads.some(load => load.service === service)) this.#reported.delete(service)
    }
  }

  #report(load: ServiceLoad, now: number): void {
    const interval = idleInterval(this.#init.reporters(load.service))
    this.#reported.set(load.service, { load, at: now, interval: interval * (0.8 + Math.random() * 0.2) })
    const report: LoadReport = { ...load, peerId: this.#init.peerId, sequence: this.#sequence.next(), interval }
    this.#seal({ type: 'load', report })
      .then(bytes => (this.#left ? undefined : this.#gossip.publish({ load: load.service }, bytes)))
      .catch(err => this.#log.error({ err, service: load.service }, 'could not report load'))
  }
}

function isEntryPoint({ entries = [] }: Advert): boolean {
  return entries.length > 0
}

/** Milliseconds between two idle reports such that all reporters of a topic together send about one a second. */
export function idleInterval(reporters: number): number {
  return Math.min(MAX_INTERVAL, Math.max(IDLE_INTERVAL, reporters * 1000))
}

function isDue({ load: last, at, interval }: Reported, load: ServiceLoad, now: number): boolean {
  if (now - at >= interval) return true
  if (now - at < BUSY_INTERVAL) return false
  return (
    last.inFlight !== load.inFlight ||
    last.queued !== load.queued ||
    Math.abs(last.latency - load.latency) > last.latency / 10
  )
}
