import { MeshError, toMeshError } from '../errors/index.ts'
import { NAME_PATTERN } from '../ids/index.ts'
import type { Route } from '../invocation/index.ts'
import { randomHex } from '../random/index.ts'
import { CONNECT, Opening, readOn } from './connect.ts'
import type { Engine } from './engine.ts'
import { Exchange } from './exchange.ts'
import { Experience } from './experience.ts'
import { Heartbeats } from './heartbeats.ts'
import type {
  Connected,
  ConnectRequest,
  DispatchAnswer,
  Dispatcher,
  DispatcherComponents,
  DispatchRequest,
  DispatchStats,
  Explanation,
  OpenConnection,
  PeerExperience,
  RawConnection
} from './index.ts'
import { Lookups } from './lookups.ts'
import { makePlan, type Plan, type PlanInput } from './plan.ts'
import { Records, type Source } from './records.ts'
import { Totals } from './totals.ts'

export function createDispatcher(components: DispatcherComponents): Dispatcher {
  return new PeerDispatcher(components)
}

const REQUEST_ID_BYTES = 16
const NAME = new RegExp(NAME_PATTERN)
/** A service on this machine is called over HTTP on loopback. */
const HERE: Route = { path: 'local', transport: 'http' }
/** What a connection is to the code that sends requests. */
const NO_CONTENT = { method: CONNECT, path: '/', headers: {}, body: null }
const UNKNOWN_ROUTE: Route = { path: 'direct', transport: 'unknown' }

type MakePlan = (input: PlanInput) => Plan

function unknown(service: string): string {
  return service === '' ? 'the path names no service, as /service/ner does' : `no service is called ${service}`
}

class PeerDispatcher implements Dispatcher {
  private readonly components: DispatcherComponents
  private readonly engine: Engine
  private readonly lookups: Lookups
  private readonly records = new Records()

  constructor(components: DispatcherComponents) {
    const { view, invoker, finder, pinger, clock, random, local } = components
    const experience = new Experience(local?.peerId)
    this.components = components
    this.lookups = new Lookups({ finder, clock })
    this.engine = {
      view,
      clock,
      random,
      experience,
      heartbeats: new Heartbeats({ pinger, clock, experience }),
      totals: new Totals(),
      invoke: (peerId, request, options) =>
        peerId === local?.peerId ? local.serve(peerId, request, options) : invoker.invoke(peerId, request, options),
      connected: peerId => peerId === local?.peerId || invoker.route(peerId) != null,
      route: peerId => (peerId === local?.peerId ? HERE : (invoker.route(peerId) ?? UNKNOWN_ROUTE))
    }
  }

  dispatch(request: DispatchRequest): Promise<DispatchAnswer> {
    return this.route(request, makePlan)
  }

  async connect<C extends RawConnection>(request: ConnectRequest, open: OpenConnection<C>): Promise<Connected<C>> {
    const opening = new Opening(open)
    const answer = await this.route({ ...request, ...NO_CONTENT }, opening.plan)
    void readOn(answer.body)
    const { requestId, worker, attempts, route, traceparent } = answer
    return { requestId, worker, attempts, route, traceparent, connection: opening.take(worker) }
  }

  private route(request: DispatchRequest, plan: MakePlan): Promise<DispatchAnswer> {
    const { view, local } = this.components
    const { totals, clock } = this.engine
    const startedAt = clock.now()
    const service = view.resolve(request.service)
    const candidates = service == null ? [] : view.candidates(service)
    if (service == null || candidates.length === 0) {
      totals.misses++
      return this.lookUp(service ?? request.service, request, startedAt, plan)
    }
    totals.hits++
    const isHere = candidates.length === 1 && candidates[0]?.peerId === local?.peerId
    return this.send(service, request, startedAt, request.worker != null ? 'pinned' : isHere ? 'local' : 'view', plan)
  }

  explain(requestId: string): Explanation | undefined {
    return this.records.explain(requestId, this.engine.clock.now())
  }

  stats(): DispatchStats {
    const { totals, experience } = this.engine
    return {
      local_requests: totals.local,
      forwarded_requests: totals.forwarded,
      cache_hits: totals.hits,
      cache_misses: totals.misses,
      dht_lookups: this.lookups.count,
      failed_requests: totals.failed,
      retried_requests: totals.retried,
      hedged_requests: totals.hedged,
      per_service: Object.fromEntries(
        Array.from(experience.services, ([name, { requests, failed, retried, inFlight, latency }]) => [
          name,
          { requests, failed, retried, in_flight: inFlight, latency_ms: latency }
        ])
      )
    }
  }

  experience(peerId: string): PeerExperience | undefined {
    const peer = this.engine.experience.known(peerId)
    if (peer == null) return undefined
    const now = this.engine.clock.now()
    const { health, roundTrip, inFlight, tracks } = peer
    return {
      peer_id: peerId,
      in_flight: inFlight,
      round_trip_ms: roundTrip ?? null,
      consecutive_failures: health.failures,
      ejected_for_ms: health.remaining(now),
      ejections: health.ejections,
      per_service: Object.fromEntries(
        Array.from(tracks, ([name, { lastLatency, inFlight, health }]) => [
          name,
          {
            latency_ms: lastLatency,
            in_flight: inFlight,
            consecutive_failures: health.failures,
            ejected_for_ms: health.remaining(now)
          }
        ])
      )
    }
  }

  stop(): void {
    this.engine.heartbeats.stop()
    this.lookups.stop()
  }

  private async lookUp(
    name: string,
    request: DispatchRequest,
    startedAt: number,
    plan: MakePlan
  ): Promise<DispatchAnswer> {
    if (NAME.test(name)) await this.lookups.find(name, request.signal, request.timeout)
    request.span?.lookedUp(this.engine.clock.now() - startedAt)
    const service = this.components.view.resolve(request.service)
    if (service == null)
      throw new MeshError('UnknownService', `${unknown(request.service)}; GET /api/services lists them`, {
        request_id: request.id,
        retry_safe: true
      })
    return this.send(service, request, startedAt, 'dht', plan)
  }

  private send(
    name: string,
    request: DispatchRequest,
    startedAt: number,
    source: Source,
    makePlan: MakePlan
  ): Promise<DispatchAnswer> {
    const { engine, records } = this
    const requestId = request.id ?? randomHex(REQUEST_ID_BYTES)
    const service = engine.experience.service(name)
    service.requests++
    service.budget.earn(engine.clock.now())
    try {
      const contract = engine.view.contract(name)
      if (contract == null)
        throw new MeshError('UnknownService', `no service is called ${name}`, { request_id: requestId })
      request.check?.(contract)
      const plan = makePlan({ request, requestId, service, contract, now: startedAt })
      const decision = {
        requestId,
        service: name,
        operation: plan.operationName,
        depth: request.depth ?? 0,
        date: engine.clock.date?.() ?? Date.now(),
        startedAt,
        lookup: source === 'dht' ? engine.clock.now() - startedAt : 0,
        source,
        scores: [],
        rejected: [],
        attempts: [],
        chosen: undefined,
        firstByteAt: undefined,
        endedAt: undefined,
        outcome: 'pending' as const
      }
      const exchange = new Exchange(engine, plan, decision)
      records.add(decision)
      return exchange.run()
    } catch (err) {
      return Promise.reject(toMeshError(err))
    }
  }
}
