import { mkdir } from 'node:fs/promises'
import type { Capabilities, ServiceOffer } from '@hedgerow/protocols/advert'
import { covers } from '@hedgerow/protocols/membership'
import type { Logger } from 'pino'
import { tiersOf, type WorkerKind } from '../capabilities/index.ts'
import { systemClock } from '../clock/index.ts'
import { type ContainerEngine, removeContainers } from '../containers/index.ts'
import type { ServiceManifest } from '../manifest/index.ts'
import type { ServiceEnvironment, ServiceHost } from '../peer/index.ts'
import {
  createPlacer,
  eligibleServices,
  liveWorkers,
  type Placement,
  type PlacementDecision,
  type Placer,
  placeable,
  whyNotEligible
} from '../placement/index.ts'
import { createReaper, createServiceInstance, type Reaper, type ServiceInstance } from '../runtime/index.ts'

/** Milliseconds after which a service that still starts (a model loads, an upstream isn't there) holds back nothing. */
const SETTLE_TIME = 5000

export interface ServiceHostInit {
  manifests: ServiceManifest[]
  capabilities: Capabilities
  /** what this worker's owner wants it used for */
  kind: WorkerKind
  /** run these, whatever the others run */
  pinned: string[]
  /** never run these; `*` = none but those pinned */
  forbidden: string[]
  /** names that this worker's credential lets it offer; `*` = all. @default all */
  granted?: readonly string[]
  stateDir: string
  /** runs the services that are containers. @default none */
  containers?: ContainerEngine
  log: Logger
}

export function createServiceHost(init: ServiceHostInit): ServiceHost {
  return new WorkerServices(init)
}

/** What there is only once the peer has started. */
interface Running {
  environment: ServiceEnvironment
  placer: Placer
  reaper: Reaper
  unwatch(): void
}

/** Runs what placement says, and lets go of what it doesn't say any more. */
class WorkerServices implements ServiceHost {
  readonly #init: ServiceHostInit
  readonly #forbidden: string[]
  readonly #instances = new Map<string, ServiceInstance>()
  /** names of services on their way out; they finish what they have in hand */
  readonly #leaving = new Map<string, Promise<void>>()
  readonly #listeners = new Set<() => void>()
  #running: Running | undefined

  constructor(init: ServiceHostInit) {
    this.#init = init
    const { manifests, pinned, forbidden, granted = ['*'] } = init
    const names = manifests.map(({ contract }) => contract.name)
    const byOwner = forbidden.includes('*') ? names.filter(name => !pinned.includes(name)) : forbidden
    // What it isn't granted nobody would believe that it offers.
    this.#forbidden = [...byOwner, ...names.filter(name => !covers(granted, name))]
  }

  get(name: string): ReturnType<ServiceHost['get']> {
    const instance = this.#instances.get(name)
    if (instance == null) return undefined
    return {
      contract: instance.manifest.contract,
      invoke: (request, options) => instance.invoke(request, options),
      connect: options => instance.connect(options)
    }
  }

  offers(): ServiceOffer[] {
    return this.#ready().map(({ manifest, resources }) => ({ contract: manifest.contract, resources: [...resources] }))
  }

  eligible(): string[] {
    return eligibleServices({ ...this.#abilities(), services: this.#init.manifests.map(placeable) })
  }

  assigned(): string[] {
    return [...this.#current()]
  }

  loads(): ReturnType<ServiceHost['loads']> {
    return this.#ready().map(instance => ({ service: instance.manifest.contract.name, ...instance.load() }))
  }

  contracts(): ReturnType<ServiceHost['contracts']> {
    return this.#init.manifests.map(({ contract }) => contract)
  }

  settled(): boolean {
    if (this.#running?.placer.latest == null) return false
    return [...this.#instances.values()].every(
      instance => instance.ready || instance.state !== 'starting' || instance.inspect().backend.since > SETTLE_TIME
    )
  }

  report(): ReturnType<ServiceHost['report']> {
    const { containers } = this.#init
    return {
      instances: [...this.#instances.values()].map(instance => instance.inspect()),
      placement: (this.#running?.placer.latest?.decisions ?? []).map(decision => this.#explain(decision)),
      ...(containers == null ? {} : { containers: containers.status })
    }
  }

  addListener(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async start(environment: ServiceEnvironment): Promise<void> {
    const { log, manifests, stateDir, pinned } = this.#init
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
    const services = manifests.map(placeable)
    const self = environment.peerId
    const placer = createPlacer(
      { self, pinned, forbidden: this.#forbidden },
      {
        clock: systemClock,
        random: Math.random,
        services: () => services,
        workers: () =>
          liveWorkers(environment.view.peers(), {
            peerId: self,
            capabilities: this.#init.capabilities,
            eligible: this.eligible(),
            services: this.#ready().map(({ manifest }) => manifest.contract.name)
          }),
        current: () => this.#current(),
        apply: placement => this.#apply(placement)
      }
    )
    const unwatchView = environment.view.addListener(change => {
      if (change.type !== 'load') placer.changed()
    })
    const unwatchEngine = this.#init.containers?.addListener(() => {
      void this.#removeLeftovers(self)
      this.#changed()
    })
    const unwatch = (): void => {
      unwatchView()
      unwatchEngine?.()
    }
    void this.#removeLeftovers(self)
    this.#tellWhatCannotRun()
    this.#running = { environment, placer, reaper: createReaper(log), unwatch }
    placer.start()
  }

  async drain(): Promise<void> {
    this.#running?.unwatch()
    this.#running?.placer.stop()
    await Promise.all([...this.#instances.values()].map(instance => instance.drain()))
  }

  async stop(): Promise<void> {
    this.#running?.unwatch()
    this.#running?.placer.stop()
    await Promise.all([...this.#instances.values()].map(instance => instance.stop()))
    await Promise.all(this.#leaving.values())
    this.#running?.reaper.stop()
    this.#init.containers?.stop()
  }

  #ready(): ServiceInstance[] {
    return [...this.#instances.values()].filter(({ ready }) => ready)
  }

  #current(): ReadonlySet<string> {
    return new Set([...this.#instances.keys()].filter(name => !this.#leaving.has(name)))
  }

  #apply({ run, decisions }: Placement): void {
    for (const manifest of this.#init.manifests) {
      const { name } = manifest.contract
      const runs = this.#instances.has(name)
      if (run.has(name) === runs) continue
      const why = decisions.find(({ service }) => service === name)?.reason
      // One that still drains is started again when it is through, by the next decision.
      if (run.has(name)) this.#begin(manifest, why)
      else if (!this.#leaving.has(name)) this.#end(name, why)
    }
  }

  #begin(manifest: ServiceManifest, why: string | undefined): void {
    if (this.#running == null) return
    const { environment, reaper } = this.#running
    const { log, stateDir, containers } = this.#init
    const { name } = manifest.contract
    log.info({ service: name, why }, 'taking on a service')
    const instance = createServiceInstance({
      manifest,
      clock: systemClock,
      random: Math.random,
      log,
      reaper,
      ...(containers == null ? {} : { containers }),
      environment: {
        peerId: environment.peerId,
        meshUrl: environment.meshUrl,
        serviceContext: service => environment.contextFor(service),
        stateDir
      }
    })
    this.#instances.set(name, instance)
    instance.addListener(() => this.#changed())
    instance.start()
  }

  #end(name: string, why: string | undefined): void {
    const { log } = this.#init
    const instance = this.#instances.get(name)
    if (instance == null) return
    log.info({ service: name, why }, 'letting go of a service')
    const left = instance
      .drain()
      .then(() => instance.stop())
      .catch(err => log.error({ err, service: name }, 'a service did not end well'))
      .finally(() => {
        this.#instances.delete(name)
        this.#leaving.delete(name)
        this.#changed()
      })
    this.#leaving.set(name, left)
    this.#changed()
  }

  /** What this worker can do now: an engine for containers comes and goes. */
  #abilities(): Omit<Parameters<typeof eligibleServices>[0], 'services'> {
    const { capabilities, kind, pinned } = this.#init
    return {
      tiers: tiersOf(kind, capabilities),
      capabilities,
      pinned,
      forbidden: this.#forbidden,
      unable: this.#unable()
    }
  }

  /** Services in containers that can't be run, with why. One that runs well does so without its engine, too. */
  #unable(): ReadonlyMap<string, string> {
    const { manifests, containers } = this.#init
    const unable = new Map<string, string>()
    for (const { contract, backend } of manifests) {
      if (backend.type !== 'container' || this.#instances.get(contract.name)?.ready === true) continue
      const status = containers?.status
      if (status == null) unable.set(contract.name, 'this peer runs no containers')
      else if (status.state !== 'ready') unable.set(contract.name, `it runs in a container; ${status.reason}`)
      else if (status.engine.gpu == null && backend.gpu !== 'none' && backend.gpu !== 'auto') {
        const { name, version } = status.engine
        const why = `${name} ${version} can give containers no GPU: install the NVIDIA container toolkit`
        unable.set(contract.name, why)
      }
    }
    return unable
  }

  #explain(decision: PlacementDecision): PlacementDecision {
    if (decision.reason !== 'not-eligible') return decision
    const manifest = this.#init.manifests.find(({ contract }) => contract.name === decision.service)
    const detail = manifest == null ? undefined : whyNotEligible(placeable(manifest), this.#abilities())
    return detail == null ? decision : { ...decision, detail }
  }

  /** Somebody put them there to be run: a silent worker would leave them guessing. */
  #tellWhatCannotRun(): void {
    const { manifests, log } = this.#init
    const abilities = this.#abilities()
    for (const manifest of manifests) {
      const { name } = manifest.contract
      if (manifest.backend.type !== 'container' || this.#forbidden.includes(name)) continue
      const reason = whyNotEligible(placeable(manifest), abilities)
      if (reason != null) log.warn({ service: name, reason }, 'this service cannot run here now')
    }
  }

  /** Of an earlier life of this daemon that ended without a word, or of a service that ended while the engine was away. */
  async #removeLeftovers(peerId: string): Promise<void> {
    const { containers, log } = this.#init
    if (containers?.status.state !== 'ready') return
    try {
      const { docker } = await containers.need()
      const removed = await removeContainers(docker, {
        peerId,
        wanted: ({ service, run }) => run === containers.run && service != null && this.#instances.has(service)
      })
      if (removed > 0) log.info({ removed }, 'removed containers that were left behind')
    } catch (err) {
      log.warn({ err }, 'containers that were left behind could not be removed')
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
    this.#running?.placer.changed()
  }
}
