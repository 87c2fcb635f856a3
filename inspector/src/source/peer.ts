import { askPeer, learnAddrs } from '@hedgerow/daemon/discovery'
import type { Peer } from '@hedgerow/daemon/peer'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { MeshError, PROBLEM_TYPE, toMeshError } from '@hedgerow/protocols/errors'
import { HEADERS } from '@hedgerow/protocols/ids'
import { optionsIn } from '@hedgerow/protocols/ingress'
import { InvocationError } from '@hedgerow/protocols/invocation'
import { InspectorError, ProblemError } from '../errors.ts'
import { type ApiAnswer, ApiSource, MAX_ASKED, PARALLEL, path, readAnswer, toPeer } from './api.ts'
import type { Call, CallAnswer, Connection, ConnectRequest, PeerInfo, Via } from './index.ts'
import { type Joined, type JoinInit, joinMesh } from './join.ts'
import { inParallel } from './parallel.ts'
import { type Explanation, type Pong, SHAPES } from './shapes.ts'

/** Milliseconds that one peer may take to answer. */
const PATIENCE = 3000
/** Milliseconds before a peer that didn't answer is asked again: who watches many would wait for it each time. */
const ASK_AGAIN = 10_000
/** The shortest of so many counts: in a process this young, one often tells more of the process than of the way. */
const PINGS = 3

/** The mesh as a peer of the inspector's own sees it: from its view, and by asking the peers in question. */
export class PeerSource extends ApiSource {
  readonly via: Via
  readonly #peer: Peer
  readonly #leave: () => Promise<void>
  /** peer id to when it may be asked again; as many as there are peers */
  readonly #askAgain = new Map<string, number>()

  /** @throws {InspectorError} Usage or Unreachable */
  static async open(init: JoinInit, signal: AbortSignal): Promise<PeerSource> {
    return new PeerSource(await joinMesh(init, signal))
  }

  private constructor({ peer, relay, leave }: Joined) {
    super()
    this.#peer = peer
    this.#leave = leave
    this.via = { mode: 'peer', name: peer.self.workerId, peer_id: peer.self.peerId, url: relay }
  }

  close(): Promise<void> {
    return this.#leave()
  }

  protected async get(target: string, signal: AbortSignal): Promise<ApiAnswer> {
    const { statusCode, rawPayload } = await this.#peer.api.inject({ method: 'GET', url: target, signal })
    return { status: statusCode, body: rawPayload }
  }

  override async peers(signal: AbortSignal): Promise<PeerInfo[]> {
    const known = await this.known(signal)
    const asked = known.slice(0, MAX_ASKED)
    const answers = await inParallel(asked, PARALLEL, peer => this.#askAfter(peer, signal))
    // Few at a time while there are few: what else goes on in this process counts as round trip.
    const width = Math.min(PARALLEL, Math.max(2, Math.ceil(answers.length / 8)))
    const measured = await inParallel(answers, width, peer => this.#measure(peer, signal))
    return [...measured, ...known.slice(MAX_ASKED)]
  }

  async call(call: Call, signal: AbortSignal): Promise<CallAnswer> {
    try {
      const answer = await this.#peer.dispatch(toDispatchRequest(call, signal))
      const { path: way, transport } = answer.route
      return {
        status: answer.status,
        headers: {
          ...answer.headers,
          [HEADERS.requestId]: answer.requestId,
          [HEADERS.worker]: answer.worker,
          [HEADERS.attempts]: String(answer.attempts),
          [HEADERS.path]: way,
          [HEADERS.transport]: transport
        },
        body: whole(answer.body)
      }
    } catch (err) {
      signal.throwIfAborted()
      return refusal(err)
    }
  }

  async connect(request: ConnectRequest, signal: AbortSignal): Promise<Connection> {
    try {
      const { connection, requestId, worker, route } = await this.#peer.connect({ ...request, signal })
      return { duplex: connection.duplex, requestId, worker, path: route.path, transport: route.transport }
    } catch (err) {
      signal.throwIfAborted()
      const error = toMeshError(err)
      if (error.code === 'Internal') throw err
      throw new ProblemError(error.status, error.code, error.message)
    }
  }

  /** Requests enter elsewhere, so everybody is asked; who doesn't know of this one says so at once. */
  override async explain(requestId: string, signal: AbortSignal): Promise<Explanation> {
    const asked = (await this.known(signal)).slice(0, MAX_ASKED)
    const target = path`/explain/${requestId}`
    const own = await super.explain(requestId, signal).catch(() => undefined)
    if (own != null) return own
    const answers = await inParallel(asked, PARALLEL, ({ peer_id }) =>
      this.#ask(peer_id, target, signal)
        .then(
          answer => readAnswer(answer, SHAPES.explanation, target),
          () => undefined
        )
        .catch(() => undefined)
    )
    const found = answers.find(answer => answer != null)
    if (found != null) return found
    throw new ProblemError(
      404,
      'UnknownRequest',
      `none of the ${asked.length} peers that were asked has a record of request ${requestId}; the one where it entered keeps it for ten minutes`
    )
  }

  /** Services and load as the peer says itself. */
  async #askAfter(peer: PeerInfo, signal: AbortSignal): Promise<PeerInfo> {
    const { peer_id } = peer
    if (performance.now() < (this.#askAgain.get(peer_id) ?? 0)) return { ...peer, reachable: false }
    const target = path`/api/peers/${peer_id}`
    try {
      const { peer: own } = readAnswer(await this.#ask(peer_id, target, signal), SHAPES.peer, target)
      this.#askAgain.delete(peer_id)
      const last_seen = new Date().toISOString()
      return { ...toPeer(own), path: null, transport: null, last_seen, reachable: true }
    } catch {
      signal.throwIfAborted()
      this.#askAgain.set(peer_id, performance.now() + ASK_AGAIN)
      return { ...peer, reachable: false }
    }
  }

  /** The way there and how long it takes, as it is from here. */
  async #measure(peer: PeerInfo, signal: AbortSignal): Promise<PeerInfo> {
    if (peer.reachable !== true) return peer
    try {
      const pongs: Pong[] = []
      for (let i = 0; i < PINGS; i++) pongs.push(await this.ping(peer.peer_id, signal))
      const { path: way, transport } = pongs.at(-1) ?? peer
      return { ...peer, path: way, transport, round_trip_ms: Math.min(...pongs.map(pong => pong.round_trip_ms)) }
    } catch {
      signal.throwIfAborted()
      return { ...peer, reachable: false }
    }
  }

  async #ask(peerId: string, target: string, signal: AbortSignal): Promise<ApiAnswer> {
    if (this.#peer.invoker.route(peerId) == null) await learnAddrs(this.#peer.node, this.#peer.view, peerId)
    return askPeer(this.#peer.invoker, peerId, target, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
    })
  }
}

function toDispatchRequest(
  { service, method, path: target, headers, body }: Call,
  signal: AbortSignal
): DispatchRequest {
  const said = (name: string): string | undefined => {
    const value = headers[name]
    return Array.isArray(value) ? value[0] : value
  }
  return {
    service,
    method,
    path: target,
    headers,
    body,
    signal,
    ...optionsIn(said)
  }
}

/** What dispatch throws, as the HTTP answer that it is at a daemon. */
function refusal(err: unknown): CallAnswer {
  const error = toMeshError(err)
  if (error.code === 'Internal') throw err
  const problem = error.toProblem()
  return {
    status: error.status,
    headers: {
      'content-type': PROBLEM_TYPE,
      [HEADERS.error]: error.code,
      ...(problem.request_id == null ? {} : { [HEADERS.requestId]: problem.request_id })
    },
    body: (async function* () {
      yield Buffer.from(JSON.stringify(problem))
    })()
  }
}

async function* whole(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.byteLength
      yield chunk
    }
  } catch (err) {
    if (!(err instanceof MeshError || err instanceof InvocationError)) throw err
    throw new InspectorError('Failed', `the answer broke off after ${size} bytes`, [err.message], { cause: err })
  }
}
