import { InspectorError, ProblemError } from '../errors.ts'
import type {
  Call,
  CallAnswer,
  Connection,
  ConnectRequest,
  DhtSource,
  MeshSource,
  PeerDetails,
  PeerInfo,
  Via
} from './index.ts'
import { inParallel } from './parallel.ts'
import {
  type Advert,
  type EntryClaim,
  type Explanation,
  type Greeting,
  type MeshPlace,
  type PeerRow,
  type Pong,
  type Service,
  SHAPES,
  type Shape,
  type Stats
} from './shapes.ts'

/** Milliseconds for one answer of the API; a walk through the DHT takes up to five seconds. */
const TIMEOUT = 15_000
/** Peers that are asked how they are when all are listed; of the others the view alone tells. */
export const MAX_ASKED = 128
/** Questions under way. */
export const PARALLEL = 16
/** Milliseconds that one peer may hold up the list of all. */
const PATIENCE = 1500

export interface ApiAnswer {
  status: number
  body: Uint8Array
}

/** A mesh as a peer's HTTP API shows it; how that API is reached is the subclass's to say. */
export abstract class ApiSource implements MeshSource {
  abstract readonly via: Via

  readonly dht: DhtSource = {
    stats: signal => this.read('/api/dht/stats', SHAPES.dhtStats, signal),
    topology: signal => this.read('/api/dht/topology', SHAPES.dhtTopology, signal),
    providers: (service, signal) => this.read(path`/api/dht/providers/${service}`, SHAPES.dhtProviders, signal),
    advert: async (peerId, signal): Promise<Advert> =>
      (await this.read(path`/api/dht/adverts/${peerId}`, SHAPES.advert, signal)).advert
  }

  /** One GET of the API. @throws {InspectorError} Unreachable */
  protected abstract get(path: string, signal: AbortSignal): Promise<ApiAnswer>
  abstract call(call: Call, signal: AbortSignal): Promise<CallAnswer>
  abstract connect(request: ConnectRequest, signal: AbortSignal): Promise<Connection>
  abstract close(): Promise<void>

  names(signal: AbortSignal): Promise<PeerInfo[]> {
    return this.known(signal)
  }

  async peers(signal: AbortSignal): Promise<PeerInfo[]> {
    const known = await this.known(signal)
    return inParallel(known, PARALLEL, async (peer, i) => {
      // Measured by the way for requests only; nobody is dialled just to be listed.
      const { round_trip_ms, path: way, silent } = peer
      if (round_trip_ms != null || way == null || way === 'local' || silent || i >= MAX_ASKED) return peer
      const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
      const pong = await this.ping(peer.peer_id, patience).catch(() => undefined)
      return pong == null ? peer : { ...peer, round_trip_ms: pong.round_trip_ms, last_seen: new Date().toISOString() }
    })
  }

  protected async known(signal: AbortSignal): Promise<PeerInfo[]> {
    const [{ relays }, { workers }] = await Promise.all([
      this.read('/api/admin/relays', SHAPES.relays, signal),
      this.read('/api/admin/workers', SHAPES.workers, signal)
    ])
    return [...relays, ...workers].map(toPeer)
  }

  async directPaths(signal: AbortSignal): Promise<string | undefined> {
    return (await this.greeting(signal)).direct_paths
  }

  /** Where this peer means to be an entry point, and whether others reach it there. */
  async entryClaims(signal: AbortSignal): Promise<EntryClaim[]> {
    return (await this.read('/health', SHAPES.ownHealth, signal)).entry_point?.claims ?? []
  }

  async services(signal: AbortSignal): Promise<Service[]> {
    return (await this.read('/api/services', SHAPES.services, signal)).services
  }

  async inspect(peerId: string, signal: AbortSignal): Promise<PeerDetails> {
    const says = await Promise.all([
      this.read(path`/api/peers/${peerId}/health`, SHAPES.health, signal),
      this.read(path`/api/peers/${peerId}/stats`, SHAPES.stats, signal)
    ]).then(
      ([health, stats]) => ({ health, stats }),
      err => ({ health: null, stats: null, unreachable: reasonOf(err) })
    )
    // Read after it was asked: the way to it may be new.
    const { peer, advert } = await this.read(path`/api/peers/${peerId}`, SHAPES.peer, signal)
    return { peer: toPeer(peer), advert, ...says }
  }

  ping(peerId: string, signal: AbortSignal): Promise<Pong> {
    return this.read(path`/api/peers/${peerId}/ping`, SHAPES.pong, signal)
  }

  explain(requestId: string, signal: AbortSignal): Promise<Explanation> {
    return this.read(path`/explain/${requestId}`, SHAPES.explanation, signal)
  }

  async receipts(requestId: string, signal: AbortSignal): Promise<string[]> {
    return (await this.read(path`/receipts/${requestId}`, SHAPES.receipts, signal)).receipts
  }

  stats(signal: AbortSignal): Promise<Stats> {
    return this.read('/stats', SHAPES.stats, signal)
  }

  mesh(signal: AbortSignal): Promise<MeshPlace> {
    return this.read('/api/mesh', SHAPES.mesh, signal)
  }

  async isClosed(signal: AbortSignal): Promise<boolean | undefined> {
    return (await this.greeting(signal)).closed
  }

  protected greeting(signal: AbortSignal): Promise<Greeting> {
    return this.read('/health', SHAPES.greeting, signal)
  }

  protected async read<T>(target: string, shape: Shape<T>, signal: AbortSignal): Promise<T> {
    const timeout = AbortSignal.timeout(TIMEOUT)
    let answer: ApiAnswer
    try {
      answer = await this.get(target, AbortSignal.any([signal, timeout]))
    } catch (err) {
      if (timeout.aborted && !signal.aborted)
        throw new InspectorError('Unreachable', `no answer to ${target} within ${TIMEOUT / 1000} s`, [], { cause: err })
      throw err
    }
    return readAnswer(answer, shape, target)
  }
}

/** A checked value out of an answer of the API. @throws {ProblemError} @throws {InspectorError} */
export function readAnswer<T>({ status, body }: ApiAnswer, shape: Shape<T>, target: string): T {
  const value = parse(body)
  // /health answers 503 with a body of its own while a peer starts.
  if (shape.Check(value)) return value
  if (SHAPES.problem.Check(value)) {
    const detail = value.detail ?? value.title ?? `${target} answers ${value.status}`
    const hints = value.status === 401 ? ['a key is named with --key, or HEDGEROW_KEY'] : []
    throw new ProblemError(value.status, value.code, detail, hints)
  }
  throw status === 404
    ? new ProblemError(status, undefined, `there is no ${target} there: it is an older version, or no Hedgerow at all`)
    : new InspectorError(
        'Failed',
        `${target} answers ${status} with something else than expected: it is another version, or no Hedgerow at all`
      )
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

export function toPeer({ worker_id, ...row }: PeerRow): PeerInfo {
  return { name: worker_id, ...row }
}

/** A path with its variable parts encoded. */
export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent))
}

function reasonOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}
