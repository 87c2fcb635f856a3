import { matchOperation } from '@hedgerow/protocols/contract'
import {
  createDispatcher,
  type DispatchAnswer,
  type Dispatcher,
  type DispatchRequest,
  type Explanation
} from '@hedgerow/protocols/dispatch'
import { MeshError, toMeshError } from '@hedgerow/protocols/errors'
import type { Gate } from '@hedgerow/protocols/gate'
import { LLM_SERVICE, modelResource, newRequestId, optionsIn, targetOf } from '@hedgerow/protocols/ingress'
import { createPageInvoker, type StoppableInvoker } from '@hedgerow/protocols/invocation/web'
import { createLedger, type Ledger } from '@hedgerow/protocols/ledger'
import { closeIfDead, createPinger } from '@hedgerow/protocols/ping'
import { createView, type View } from '@hedgerow/protocols/view'
import type { Connection } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import type { Bootstrap } from './bootstrap.ts'
import { fetchBridged } from './bridge.ts'
import { clear } from './clearance.ts'
import { EVENT_INTERVAL, KEEP_CONNECTED, MAX_PEERS, SWEEP_INTERVAL } from './constants.ts'
import { Follower } from './follower.ts'
import type { Mesh, MeshEvents, MeshInit, MeshRequestInit, MeshStatus, PeerInfo, ServiceInfo } from './index.ts'
import { type InfoComponents, peerInfo, serviceInfos } from './info.ts'
import type { PageMembership } from './membership.ts'
import type { PageNode } from './node.ts'
import { Paths } from './paths.ts'
import { Meter } from './progress.ts'
import { learntRelay } from './relay-addresses.ts'
import { Relays } from './relays.ts'
import { type MeshRequest, networkError, reasonOf, toMeshRequest } from './request.ts'
import { offline, problemResponse, toResponse } from './response.ts'
import type { FetchSpan, PageTracing } from './tracing/index.ts'

/** What a relay may know that this page doesn't, or reach where this page can't: asked over its bridge instead. */
const FOR_THE_BRIDGE = new Set(['Unreachable', 'UnknownService', 'NoWorker'])

export interface MeshComponents {
  node: PageNode
  gate: Gate
  membership: PageMembership
}

export class PageMesh extends TypedEventEmitter<MeshEvents> implements Mesh {
  readonly peerId: string
  readonly name: string
  readonly closed: boolean
  readonly iceServers: readonly RTCIceServer[]
  readonly #node: PageNode
  readonly #gate: Gate
  readonly #membership: PageMembership
  readonly #view: View
  readonly #ledger: Ledger
  readonly #relays: Relays
  readonly #paths: Paths
  readonly #invoker: StoppableInvoker
  readonly #follower: Follower
  readonly #dispatcher: Dispatcher
  readonly #info: InfoComponents
  readonly #tracing: PageTracing | undefined
  readonly #sweeper: ReturnType<typeof setInterval>
  readonly #stopped = new AbortController()
  #status: MeshStatus = 'offline'
  #telling: ReturnType<typeof setTimeout> | undefined

  constructor({ node, gate, membership }: MeshComponents, bootstraps: [Bootstrap, ...Bootstrap[]], init: MeshInit) {
    super()
    const [{ mesh, iceServers }] = bootstraps
    const now = (): number => performance.now()
    this.#node = node
    this.#gate = gate
    this.#membership = membership
    this.#tracing = init.tracing
    this.peerId = node.peerId.toString()
    this.name = mesh
    this.closed = membership.trust.authority != null
    this.iceServers = iceServers
    this.#view = createView({ now, maxPeers: MAX_PEERS })
    this.#ledger = createLedger({ mesh, view: this.#view, trust: membership.trust })
    this.#relays = new Relays(
      { node, gate },
      {
        mesh,
        urls: init.relays,
        bridgesLearnt: init.token == null,
        connected: () => this.#onRelay(),
        woken: () => {
          this.#check(node.getConnections())
          this.#paths.renew()
        },
        changed: () => this.#changed()
      }
    )
    this.#paths = new Paths(
      { node, gate, view: this.#view, relays: () => this.#relays.connections, opened: () => this.#changed() },
      { keepConnected: init.keepConnected ?? KEEP_CONNECTED }
    )
    const connectionsTo = (peer: string) => this.#paths.connectionsTo(peer)
    this.#invoker = createPageInvoker({ connectionsTo, reach: (peer, signal) => this.#paths.reach(peer, signal) })
    this.#follower = new Follower({
      invoker: this.#invoker,
      ledger: this.#ledger,
      trust: membership.trust,
      sources: () => this.#sources(),
      doubt: peer => this.#check(connectionsTo(peer))
    })
    this.#dispatcher = createDispatcher({
      view: this.#view,
      // A page doesn't walk the DHT. What it hasn't heard of, a relay is asked for over its bridge.
      finder: { find: async () => false },
      invoker: this.#invoker,
      pinger: createPinger({ connectionsTo }),
      clock: {
        now,
        setTimeout: (callback, ms) => setTimeout(callback, ms),
        clearTimeout: handle => clearTimeout(handle as ReturnType<typeof setTimeout>)
      },
      random: Math.random
    })
    this.#info = {
      view: this.#view,
      connectionsTo,
      roundTrip: peer => this.#dispatcher.experience(peer)?.round_trip_ms ?? undefined,
      now
    }
    this.#view.addListener(() => this.#changed())
    this.#ledger.addListener(({ statement }) => {
      if (statement.type === 'advert') this.#paths.prepare()
      if (statement.type === 'advert' && statement.advert.role === 'relay') this.#learnRelays()
    })
    // An open mesh has no proofs to wait for.
    node.addEventListener('connection:open', this.#onConnection)
    gate.addListener(this.#onConnection)
    node.addEventListener('connection:close', this.#onConnection)
    this.#sweeper = setInterval(() => {
      this.#view.sweep()
      this.#ledger.sweep()
      this.#learnRelays()
      this.#paths.prepare()
    }, SWEEP_INTERVAL)
    this.#relays.start(bootstraps)
  }

  get status(): MeshStatus {
    if (this.#stopped.signal.aborted) return 'stopped'
    const isOpen = ({ status, remotePeer }: Connection): boolean =>
      status === 'open' && this.#gate.isMember(remotePeer.toString())
    if (this.#node.getConnections().some(isOpen)) return 'online'
    return this.#relays.answering ? 'bridged' : 'offline'
  }

  /** resolves when all that one peer knows has been heard */
  get caughtUp(): Promise<void> {
    return this.#follower.caughtUp
  }

  /** Stops when the signal says so. */
  leaveOn(signal: AbortSignal | undefined): void {
    const onAbort = (): void => void this.stop()
    signal?.addEventListener('abort', onAbort, { signal: this.#stopped.signal })
  }

  async fetch(input: string | URL | Request, init: MeshRequestInit = {}): Promise<Response> {
    const startedAt = performance.now()
    const meter = new Meter(init.onProgress)
    const request = await toMeshRequest(input, init, meter)
    const id = newRequestId()
    const span = this.#tracing?.begin(request, id)
    try {
      const response = await this.#send(request, id, span, startedAt, meter)
      span?.end(response)
      return response
    } catch (err) {
      span?.fail(request.signal.aborted ? undefined : err)
      request.leave()
      throw request.signal.aborted ? reasonOf(request.signal) : err
    }
  }

  async #send(
    request: MeshRequest,
    id: string,
    span: FetchSpan | undefined,
    startedAt: number,
    meter: Meter
  ): Promise<Response> {
    const { signal } = request
    if (signal.aborted) throw reasonOf(signal)
    if (this.#stopped.signal.aborted) throw left()
    if (this.status !== 'online') return this.#bridge(request, span, meter)
    const elapsed = (): number => performance.now() - startedAt
    let answer: DispatchAnswer
    try {
      answer = await this.#dispatcher.dispatch({ ...this.#toDispatch(request, id), span: span?.attempts })
    } catch (err) {
      if (signal.aborted) throw reasonOf(signal)
      if (this.#stopped.signal.aborted) throw left()
      const error = toMeshError(err)
      // nobody is there who answers: the body's own source failed
      if (error.code === 'ClientGone') throw networkError(error)
      if (FOR_THE_BRIDGE.has(error.code) && this.#relays.answering && isUnsent(request))
        return this.#bridge(request, span, meter).catch(() => problemResponse(request, error, id, elapsed()))
      request.leave()
      return problemResponse(request, error, id, elapsed())
    }
    return toResponse(request, answer, elapsed(), meter)
  }

  peers(): PeerInfo[] {
    return Array.from(this.#view.peers(), entry => peerInfo(entry, this.#info))
  }

  services(): ServiceInfo[] {
    return serviceInfos(this.#view)
  }

  explain(requestId: string): Explanation | undefined {
    return this.#dispatcher.explain(requestId)
  }

  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return
    this.#stopped.abort()
    clearInterval(this.#sweeper)
    clearTimeout(this.#telling)
    this.#node.removeEventListener('connection:open', this.#onConnection)
    this.#node.removeEventListener('connection:close', this.#onConnection)
    this.#membership.stop()
    this.#follower.stop()
    this.#relays.stop()
    this.#paths.stop()
    this.#invoker.stop()
    this.#dispatcher.stop()
    this.#ledger.stop()
    this.dispatchEvent(new CustomEvent('status'))
    await this.#node.stop()
  }

  /** @throws {MeshError} Malformed, UnknownModel, UnknownRoute */
  #toDispatch({ method, path, headers, body, signal }: MeshRequest, id: string): DispatchRequest {
    const request = {
      id,
      method,
      headers: Object.fromEntries(headers),
      body,
      signal,
      ...optionsIn(name => headers.get(name) ?? undefined)
    }
    if (path.startsWith('/v1/')) {
      const isJson = headers.get('content-type')?.includes('json') === true
      const resource =
        isJson && body instanceof Uint8Array
          ? modelResource(this.#view, new TextDecoder().decode(body))
          : request.resource
      return { ...request, service: LLM_SERVICE, path, ...(resource == null ? {} : { resource }) }
    }
    if (!path.startsWith('/service/'))
      throw new MeshError('UnknownRoute', `mesh.fetch takes /service/{service}/{path} and /v1/..., not ${path}`)
    return { ...request, ...targetOf(path) }
  }

  async #bridge(request: MeshRequest, span: FetchSpan | undefined, meter: Meter): Promise<Response> {
    if (!this.#relays.answering) {
      await this.#relays.ask(request.signal).catch(cause => {
        throw offline(cause)
      })
    }
    const { bridges } = this.#relays
    const authorization = await this.#membership.authorization()
    if (authorization != null && !request.headers.has('authorization'))
      request.headers.set('authorization', authorization)
    await clear(request, bridges, { view: this.#view, ledger: this.#ledger, trust: this.#membership.trust })
    const mayRepeat = this.#mayRepeat(request)
    const send = (): Promise<Response> => fetchBridged(request, bridges, mayRepeat, meter)
    return span == null ? send() : span.bridge(request.headers, send)
  }

  /** Where a relay was lost with the request in hand. */
  #mayRepeat({ method, path, headers }: MeshRequest): boolean {
    if (method === 'GET' || method === 'HEAD' || headers.has('idempotency-key')) return true
    if (!path.startsWith('/service/')) return false
    const target = targetOf(path)
    const name = this.#view.resolve(target.service)
    const contract = name == null ? undefined : this.#view.contract(name)
    return contract != null && matchOperation(contract, method, target.path)?.operation.idempotent === true
  }

  #learnRelays(): void {
    const adverts = Array.from(this.#view.peers(), ({ advert }) => advert)
    this.#relays.learn(adverts.flatMap(advert => (advert.role === 'relay' ? learntRelay(advert) : [])))
  }

  /** Who can tell what happens in the mesh: relays hear everything, workers what concerns them. */
  #sources(): string[] {
    const relays = this.#relays.connections.map(({ remotePeer }) => remotePeer.toString())
    const others = this.#node.getPeers().map(peer => peer.toString())
    return [...relays, ...others.filter(peer => !relays.includes(peer))]
  }

  #check(connections: Connection[]): void {
    for (const connection of connections) void closeIfDead(connection)
  }

  #onRelay(): void {
    this.#follower.wake()
    // The first after being alone: what was dialled meanwhile had nobody to introduce it.
    if (this.#relays.connections.length === 1) this.#paths.renew()
    else this.#paths.prepare()
  }

  #onConnection = (): void => {
    this.#follower.wake()
    this.#changed()
  }

  #changed(): void {
    if (this.#telling != null || this.#stopped.signal.aborted) return
    this.#telling = setTimeout(() => {
      this.#telling = undefined
      const { status } = this
      if (status !== this.#status) {
        this.#status = status
        this.dispatchEvent(new CustomEvent('status'))
      }
      this.dispatchEvent(new CustomEvent('peers'))
    }, EVENT_INTERVAL)
  }
}

function left(): TypeError {
  return networkError(new MeshError('Unreachable', 'this page has left the mesh'))
}

/** A stream can't be sent again, once somebody may have read from it. */
function isUnsent(request: MeshRequest): boolean {
  return request.body == null || request.replay() != null
}
