import { randomUUID } from 'node:crypto'
import type Docker from 'dockerode'
import { askEngine } from './ask.ts'
import { ASK_TIMEOUT, WATCH_INTERVAL } from './constants.ts'
import { LaunchError } from './failure.ts'
import type { ContainerEngine, EngineInit, EngineStatus, Reach, ReadyEngine } from './index.ts'
import { findOwnContainer } from './own-container.ts'
import { type EnginePlace, enginePlaces, showPlace } from './places.ts'
import { findReach } from './reach.ts'
import { judgeAnswers } from './verdict.ts'

/** The first engine that answers, looked at now and then. */
export class LocalEngine implements ContainerEngine {
  readonly run: string = randomUUID()
  readonly #init: EngineInit
  readonly #places: EnginePlace[]
  readonly #listeners = new Set<() => void>()
  #status: EngineStatus
  #timer: NodeJS.Timeout | undefined
  #watching = false
  #looking: Promise<void> | undefined
  /** belongs to the place where the engine was found */
  #connected: { place: string; docker: Docker; reach?: Reach } | undefined

  constructor(init: EngineInit) {
    this.#init = init
    const places = enginePlaces(init.socket, init.env)
    this.#places = Array.isArray(places) ? places : []
    const unusable = Array.isArray(places) ? undefined : places.unusable
    if (init.socket === 'off') {
      this.#status = { state: 'off', reason: 'containers are off (HEDGEROW_DOCKER_SOCKET=off)' }
    } else if (unusable != null) {
      const reason = `DOCKER_HOST is ${unusable}, which can't be used: HEDGEROW_DOCKER_SOCKET names a socket or a tcp:// URL`
      this.#status = { state: 'failed', reason }
    } else this.#status = { state: 'none', reason: 'no container engine was looked for yet' }
  }

  get status(): EngineStatus {
    return this.#status
  }

  async start(): Promise<void> {
    if (this.#watching) return
    this.#watching = true
    await this.#look()
    this.#schedule()
  }

  stop(): void {
    this.#watching = false
    clearTimeout(this.#timer)
  }

  async need(): Promise<ReadyEngine> {
    if (this.#status.state !== 'ready') await this.#look()
    const status = this.#status
    if (status.state !== 'ready') throw new LaunchError(status.reason)
    const connected = await this.#connect(status.place)
    const own = this.#init.own ?? (await findOwnContainer())
    const place = this.#places.find(one => showPlace(one) === status.place)
    if (place == null) throw new LaunchError('the container engine is somewhere else now')
    connected.reach ??= await findReach(connected.docker, place, own)
    return { docker: connected.docker, place: status.place, info: status.engine, reach: connected.reach }
  }

  addListener(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #schedule(): void {
    if (!this.#watching || this.#places.length === 0) return
    this.#timer = setTimeout(
      () => void this.#look().then(() => this.#schedule()),
      this.#init.interval ?? WATCH_INTERVAL
    )
    this.#timer.unref()
  }

  /** One at a time. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookNow(): Promise<void> {
    if (this.#places.length === 0) return
    const found = this.#status
    const answers = await Promise.all(
      this.#places.map(place => {
        const known = 'engine' in found && found.place === showPlace(place) ? found.engine : undefined
        return askEngine(place, AbortSignal.timeout(ASK_TIMEOUT), known)
      })
    )
    const verdict = judgeAnswers(answers)
    this.#enter(
      verdict.state === 'ready' ? verdict : { state: verdict.state, reason: `${verdict.found}; ${verdict.fix}` }
    )
  }

  #enter(status: EngineStatus): void {
    const { state } = this.#status
    const changed = state !== status.state || (status.state !== 'ready' && reasonOf(this.#status) !== status.reason)
    this.#status = status
    if (!changed) return
    if (status.state === 'ready') {
      const { name, version, gpu } = status.engine
      this.#init.log.info(
        { engine: `${name} ${version}`, place: status.place, gpu: gpu ?? 'none' },
        'container engine found'
      )
    } else this.#init.log[state === 'ready' ? 'warn' : 'debug']({ reason: status.reason }, 'no container engine')
    for (const listener of this.#listeners) listener()
  }

  /** The client is loaded when there is something to ask: most workers run no containers. */
  async #connect(place: string): Promise<{ docker: Docker; reach?: Reach }> {
    if (this.#connected?.place === place) return this.#connected
    const { default: Client } = await import('dockerode')
    // All of it is said: what is left out it takes from DOCKER_HOST and its like.
    const { hostname, port } = place.startsWith('http:') ? new URL(place) : { hostname: undefined, port: undefined }
    const options = {
      protocol: 'http',
      host: hostname,
      port,
      ...(hostname == null ? { socketPath: place } : {}),
      ca: undefined,
      cert: undefined,
      key: undefined
    }
    this.#connected = { place, docker: new Client(options as Docker.DockerOptions) }
    return this.#connected
  }
}

const reasonOf = (status: EngineStatus): string | undefined => (status.state === 'ready' ? undefined : status.reason)
