import { MeshError } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'
import type { Headers } from '@hedgerow/protocols/invocation'
import type { Logger } from 'pino'
import { type Admission, type AdmissionLoad, createAdmission, type Permit } from '../admission/index.ts'
import type { ServiceManifest } from '../manifest/index.ts'
import { BackendConnection } from './connection.ts'
import { CONNECTIONS_DRAIN, END_DOUBT, LOADING_RETRY_AFTER } from './constants.ts'
import { bodyTooLarge, Exchange } from './exchange.ts'
import {
  type Backend,
  type BackendState,
  createBackend,
  type InstanceReport,
  type ServiceAnswer,
  type ServiceInstance,
  type ServiceInstanceInit,
  type ServiceInvokeOptions,
  type ServiceRequest
} from './index.ts'
import { ResourceWatcher } from './resources.ts'
import { addressExchange, endExchange } from './spans.ts'
import { type TcpConnection, TcpConnections } from './tcp-connections.ts'

const NOTHING: readonly string[] = []

export class HostedService implements ServiceInstance {
  readonly manifest: ServiceManifest
  readonly #init: ServiceInstanceInit
  readonly #log: Logger
  readonly #backend: Backend
  readonly #watcher: ResourceWatcher | undefined
  readonly #listeners = new Set<() => void>()
  #admission: Admission
  #connection: BackendConnection | undefined
  readonly #tcp: TcpConnections
  /** what listeners know */
  #told: Pick<ServiceInstance, 'state' | 'ready' | 'resources'> = { state: 'stopped', ready: false, resources: NOTHING }
  #draining = false
  #startAgain = false

  constructor(init: ServiceInstanceInit) {
    const { manifest, clock } = init
    this.#init = init
    this.manifest = manifest
    this.#log = init.log.child({ service: manifest.contract.name })
    this.#admission = this.#newAdmission()
    const isOurs = manifest.backend.type !== 'url' && manifest.backend.type !== 'tcp'
    this.#tcp = new TcpConnections({
      service: manifest.contract.name,
      idleTimeout: manifest.idleTimeout,
      doubt: isOurs ? END_DOUBT : 0
    })
    this.#backend = createBackend(
      manifest,
      { ...init, log: this.#log },
      () => this.#admission.load().inFlight > 0,
      () => this.#tcp.end('BackendFailed')
    )
    this.#backend.addListener(() => this.#follow())
    if (manifest.resources != null) {
      const onChange = (): void => this.#tell()
      this.#watcher = new ResourceWatcher({ ...manifest.resources, clock, log: this.#log, onChange })
    }
  }

  get state(): BackendState {
    return this.#draining && this.#backend.state !== 'stopped' ? 'draining' : this.#backend.state
  }

  get ready(): boolean {
    return this.state === 'healthy' && (this.#watcher == null || this.#watcher.known != null)
  }

  get resources(): readonly string[] {
    return this.ready ? (this.#watcher?.known ?? NOTHING) : NOTHING
  }

  start(): void {
    if (this.#draining) this.#startAgain = true
    else this.#backend.start()
  }

  async invoke(request: ServiceRequest, options: ServiceInvokeOptions): Promise<ServiceAnswer> {
    const { clock } = this.#init
    this.#check(request)
    const deadline = options.timeout == null ? undefined : clock.now() + options.timeout
    const admitted = this.#admission.acquire({ signal: options.signal, deadline })
    const permit = admitted instanceof Promise ? await admitted : admitted
    const connection = this.#connection
    if (connection == null) {
      permit.release('cancelled')
      throw this.#notServed()
    }
    return this.#exchange(request, options.signal, deadline, permit, connection)
  }

  async connect({ signal, requestId }: { signal: AbortSignal; requestId: string }): Promise<TcpConnection> {
    const { name, protocol } = this.manifest.contract
    if (protocol !== 'tcp') throw new MeshError('NotTcp', `${name} speaks HTTP`, { service: name })
    this.#checkState()
    const permit = await this.#admission.acquire({ signal, deadline: undefined })
    try {
      const { target } = this.#backend
      if (target?.protocol !== 'tcp') throw this.#notServed()
      const connection = await this.#tcp.open(target, signal)
      permit.firstByte()
      void connection.ended.then(end => {
        permit.release(end === 'answered' ? 'done' : end === 'BackendFailed' ? 'failed' : 'cancelled')
        if (end === 'BackendFailed') this.#backend.suspect()
      })
      return connection
    } catch (err) {
      const failed = err instanceof MeshError && err.code === 'BackendFailed'
      permit.release(failed ? 'failed' : 'cancelled')
      if (failed) {
        this.#log.warn({ request_id: requestId, code: err.code, detail: err.message }, 'backend failed')
        this.#backend.suspect()
      }
      throw err
    }
  }

  load(): AdmissionLoad {
    return this.#admission.load()
  }

  loadChanged(): boolean {
    return this.#admission.changed()
  }

  async drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true
      this.#backend.drain()
      this.#tell()
    }
    const { clock } = this.#init
    const timer = clock.setTimeout(() => this.#tcp.end('Draining'), CONNECTIONS_DRAIN)
    await this.#admission.drain()
    clock.clearTimeout(timer)
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.#startAgain = false
    const admission = this.#admission
    admission.abandon()
    this.#watcher?.stop()
    this.#connection?.destroy()
    this.#connection = undefined
    this.#tcp.end('Draining')
    await this.#backend.stop()
    if (admission !== this.#admission) return
    this.#admission = this.#newAdmission()
    this.#draining = false
    this.#tell()
    if (this.#startAgain) this.start()
  }

  inspect(): InstanceReport {
    const { contract, file } = this.manifest
    return {
      service: contract.name,
      version: contract.version,
      file,
      ready: this.ready,
      resources: this.resources,
      backend: this.#backend.report(),
      load: this.#admission.load(),
      totals: this.#admission.totals()
    }
  }

  addListener(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Refuses what can't be served before anything is spent on it. */
  #check({ method, headers, body, operation }: ServiceRequest): void {
    const { name } = this.manifest.contract
    this.#checkState()
    if (this.manifest.contract.protocol !== 'http')
      throw new MeshError('NotHttp', `${name} speaks TCP`, { service: name })
    if (method === 'CONNECT') throw new MeshError('MethodNotAllowed', `${name} has no tunnels`, { service: name })
    const length =
      body instanceof Uint8Array ? body.byteLength : body == null ? 0 : Number(headers['content-length'] ?? 0)
    if (length > operation.bodyLimit) throw bodyTooLarge(name, operation)
  }

  #checkState(): void {
    // A draining backend still serves what was admitted; the admission refuses the rest.
    if (!this.#draining && this.#backend.state !== 'healthy') throw this.#notServed()
  }

  async #exchange(
    request: ServiceRequest,
    signal: AbortSignal,
    deadline: number | undefined,
    permit: Permit,
    connection: BackendConnection
  ): Promise<ServiceAnswer> {
    const { clock } = this.#init
    const { operation, stamp = {} } = request
    const admitted = clock.now()
    let begun = admitted
    const stamped: Headers = { ...stamp }
    if (deadline != null) stamped[HEADERS.timeout] = Math.max(0, (deadline - admitted) / 1000).toFixed(3)
    const span = request.begin?.()
    if (span != null) {
      stamped[HEADERS.traceparent] = span.traceparent
      addressExchange(span, connection.target)
    }
    const exchange = new Exchange({
      service: this.manifest.contract.name,
      request,
      operation,
      stamp: stamped,
      target: connection.target,
      signal,
      deadline,
      clock,
      onFirstByte() {
        begun = clock.now()
        permit.firstByte()
      },
      onEnd: (outcome, error, status) => {
        permit.release(outcome)
        if (span != null) endExchange(span, status, error)
        if (error?.code === 'BackendFailed' || error?.code === 'FirstByteTimeout' || error?.code === 'ChunkTimeout') {
          const { code, cause, message } = error
          this.#log.warn({ request_id: stamp[HEADERS.requestId], code, err: cause, detail: message }, 'backend failed')
          this.#backend.suspect()
        }
      }
    })
    const head = await exchange.run(connection.pool)
    return { ...head, timing: { queue: permit.waited, backend: begun - admitted } }
  }

  #notServed(): MeshError {
    const { name } = this.manifest.contract
    if (this.#backend.state === 'starting') {
      const details = { service: name, retry_after: LOADING_RETRY_AFTER }
      return new MeshError('Loading', `${name} is still starting on this worker`, details)
    }
    return new MeshError('NotServed', `${name} can't be served by this worker now; another may have it`, {
      service: name
    })
  }

  /** The backend has another state. */
  #follow(): void {
    const { state, target } = this.#backend
    const http = target?.protocol === 'http' ? target : undefined
    if (http !== this.#connection?.target) {
      this.#connection?.destroy()
      this.#connection = http == null ? undefined : new BackendConnection(http)
    }
    // A process that has ended closes its connections as if it had said all it had to say.
    if (target == null) this.#tcp.end('BackendFailed')
    if (state === 'healthy' && http != null) this.#watcher?.start(http)
    else if (state !== 'draining') this.#watcher?.stop()
    // Those that wait for it would be served elsewhere sooner.
    if (state === 'unhealthy' || state === 'backing-off') this.#admission.refuseWaiting(this.#notServed())
    this.#tell()
  }

  #tell(): void {
    const { state, ready, resources } = this
    const told = this.#told
    if (told.state === state && told.ready === ready && told.resources === resources) return
    this.#told = { state, ready, resources }
    for (const listener of this.#listeners) listener()
  }

  #newAdmission(): Admission {
    const { manifest, clock } = this.#init
    return createAdmission({ service: manifest.contract.name, ...manifest.admission, clock })
  }
}
