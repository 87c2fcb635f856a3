import { mkdir } from 'node:fs/promises'
import type { Capabilities, ServiceOffer } from '@hedgerow/protocols/advert'
import type { Logger } from 'pino'
import { tiersOf, type WorkerKind } from '../capabilities/index.ts'
import { systemClock } from '../clock/index.ts'
import type { ServiceManifest } from '../manifest/index.ts'
import type { ServiceEnvironment, ServiceHost } from '../peer/index.ts'
import { createReaper, createServiceInstance, type Reaper, type ServiceInstance } from '../runtime/index.ts'

export interface ServiceHostInit {
  manifests: ServiceManifest[]
  capabilities: Capabilities
  /** what this worker's owner wants it used for */
  kind: WorkerKind
  /** run these whatever the others run; `none` = nothing */
  pinned: string[]
  /** never run these */
  forbidden: string[]
  stateDir: string
  log: Logger
}

export function createServiceHost(init: ServiceHostInit): ServiceHost {
  return new WorkerServices(init)
}

class WorkerServices implements ServiceHost {
  readonly #init: ServiceHostInit
  readonly #instances = new Map<string, ServiceInstance>()
  readonly #listeners = new Set<() => void>()
  readonly #eligible: ServiceManifest[]
  #environment: ServiceEnvironment | undefined
  #reaper: Reaper | undefined

  constructor(init: ServiceHostInit) {
    this.#init = init
    const { manifests, capabilities, kind, forbidden } = init
    const tiers = tiersOf(kind, capabilities)
    this.#eligible = manifests.filter(
      ({ contract }) => tiers.includes(contract.tier) && !forbidden.includes(contract.name)
    )
  }

  get(name: string): ReturnType<ServiceHost['get']> {
    const instance = this.#instances.get(name)
    return instance == null
      ? undefined
      : { contract: instance.manifest.contract, invoke: (request, options) => instance.invoke(request, options) }
  }

  offers(): ServiceOffer[] {
    return [...this.#instances.values()]
      .filter(({ ready }) => ready)
      .map(({ manifest, resources }) => ({ contract: manifest.contract, resources: [...resources] }))
  }

  eligible(): string[] {
    return this.#eligible.map(({ contract }) => contract.name)
  }

  assigned(): string[] {
    return [...this.#instances.keys()]
  }

  loads(): ReturnType<ServiceHost['loads']> {
    return [...this.#instances]
      .filter(([, { ready }]) => ready)
      .map(([service, instance]) => ({ service, ...instance.load() }))
  }

  contracts(): ReturnType<ServiceHost['contracts']> {
    return this.#init.manifests.map(({ contract }) => contract)
  }

  settled(): boolean {
    return (
      this.#environment != null &&
      [...this.#instances.values()].every(({ state, ready }) => ready || (state !== 'starting' && state !== 'stopped'))
    )
  }

  addListener(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async start(environment: ServiceEnvironment): Promise<void> {
    this.#environment = environment
    this.#reaper = createReaper(this.#init.log)
    await mkdir(this.#init.stateDir, { recursive: true, mode: 0o700 })
    const { pinned } = this.#init
    for (const manifest of this.#eligible) {
      if (pinned.length > 0 && !pinned.includes(manifest.contract.name)) continue
      this.#run(manifest)
    }
  }

  async drain(): Promise<void> {
    await Promise.all([...this.#instances.values()].map(instance => instance.drain()))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#instances.values()].map(instance => instance.stop()))
    this.#reaper?.stop()
  }

  #run(manifest: ServiceManifest): void {
    const { log, stateDir } = this.#init
    const environment = this.#environment
    const reaper = this.#reaper
    if (environment == null || reaper == null) return
    const instance = createServiceInstance({
      manifest,
      clock: systemClock,
      random: Math.random,
      log,
      reaper,
      environment: {
        peerId: environment.peerId,
        meshUrl: environment.meshUrl,
        serviceContext: service => environment.contextFor(service),
        stateDir
      }
    })
    this.#instances.set(manifest.contract.name, instance)
    instance.addListener(() => this.#changed())
    instance.start()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
