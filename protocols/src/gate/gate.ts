import type { Connection, Startable, Stream, StreamHandler } from '@libp2p/interface'
import { raceSignal } from 'race-signal'
import { membershipProtocol } from '../ids/index.ts'
import { CredentialError, type Member, type Trust } from '../membership/index.ts'
import { MAX_UNPROVEN, MAX_WAITING_STREAMS, PROOF_TIMEOUT, REFUSAL_LINGER, SWEEP_INTERVAL } from './constants.ts'
import { proofStream, RefusedByPeer } from './handshake.ts'
import { HeldStreams } from './held.ts'
import type { Gate, GateChange, GateComponents, GateInit } from './index.ts'
import { guardComponents } from './registrar.ts'

/** One connection, and how far its proof has come. */
interface Entry {
  readonly connection: Connection
  readonly peerId: string
  readonly proof: PromiseWithResolvers<Member>
  settled: boolean
  waiting: number
  timer: ReturnType<typeof setTimeout> | undefined
}

/** Streams for the handshake on one connection: one, and one more for a renewal at the same time. */
const LIMITS = { runOnLimitedConnection: true, maxInboundStreams: 4, maxOutboundStreams: 4 }

export class ClosedGate implements Gate {
  readonly #trust: Trust
  readonly #init: GateInit
  readonly #protocol: string
  readonly #proofTimeout: number
  readonly #sweepInterval: number
  readonly #entries = new Map<string, Entry>()
  readonly #members = new Map<string, Member>()
  /** connections that are closed as soon as their other side has read why */
  readonly #ending = new WeakSet<Connection>()
  readonly #held = new HeldStreams(stream =>
    stream.abort(new CredentialError('Missing', 'streams hold too much before the proof of membership'))
  )
  readonly #listeners = new Set<(change: GateChange) => void>()

  constructor(init: GateInit) {
    this.#init = init
    this.#trust = init.trust
    this.#proofTimeout = init.proofTimeout ?? PROOF_TIMEOUT
    this.#sweepInterval = init.sweepInterval ?? SWEEP_INTERVAL
    this.#protocol = membershipProtocol(init.trust.mesh)
  }

  service(): (components: GateComponents) => Startable {
    return ({ registrar, events }) => {
      const onOpen = ({ detail }: CustomEvent<Connection>): void => void this.#entryOf(detail)
      const onClose = ({ detail }: CustomEvent<Connection>): void => this.#closed(detail)
      let sweeper: ReturnType<typeof setInterval> | undefined
      let unwatch = (): void => {}
      return {
        start: async () => {
          events.addEventListener('connection:open', onOpen)
          events.addEventListener('connection:close', onClose)
          unwatch = this.#trust.addListener(() => this.#sweep())
          sweeper = setInterval(() => this.#sweep(), this.#sweepInterval)
          await registrar.handle(this.#protocol, (stream, connection) => this.#answer(stream, connection), LIMITS)
        },
        stop: async () => {
          clearInterval(sweeper)
          unwatch()
          events.removeEventListener('connection:open', onOpen)
          events.removeEventListener('connection:close', onClose)
          for (const { connection } of this.#entries.values()) this.#closed(connection)
          await registrar.unhandle(this.#protocol)
        }
      }
    }
  }

  guard<C, T>(create: (components: C) => T): (components: C) => T {
    return components => create(guardComponents(components, this))
  }

  guardHandler(handler: StreamHandler): StreamHandler {
    return (stream, connection) => {
      // The usual case pays nothing but this look.
      if (this.#members.has(connection.remotePeer.toString())) return handler(stream, connection)
      return this.#hold(handler, stream, connection)
    }
  }

  isMember(peerId: string): boolean {
    return this.#members.has(peerId)
  }

  member(peerId: string): Member | undefined {
    return this.#members.get(peerId)
  }

  async proven(connection: Connection, signal?: AbortSignal): Promise<Member> {
    const known = this.#members.get(connection.remotePeer.toString())
    if (known != null) return known
    const { proof } = this.#entryOf(connection)
    return signal == null ? proof.promise : raceSignal(proof.promise, signal)
  }

  renew(): void {
    for (const entry of this.#entries.values()) void this.#show(entry)
  }

  addListener(listener: (change: GateChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whoever dials proves first. Streams may come in before libp2p says that the connection is open. */
  #entryOf(connection: Connection): Entry {
    const known = this.#entries.get(connection.id)
    if (known != null) return known
    const entry: Entry = {
      connection,
      peerId: connection.remotePeer.toString(),
      proof: Promise.withResolvers(),
      settled: false,
      waiting: 0,
      timer: undefined
    }
    entry.proof.promise.catch(() => {})
    if (connection.status !== 'open' || this.#ending.has(connection)) {
      entry.settled = true
      entry.proof.reject(new CredentialError('Missing', 'the connection ended before it was proven'))
      return entry
    }
    this.#entries.set(connection.id, entry)
    if (connection.direction === 'inbound') this.#makeRoom()
    entry.timer = setTimeout(() => this.#end(entry, lateBy(this.#proofTimeout)), this.#proofTimeout)
    if (connection.direction === 'outbound') void this.#show(entry)
    return entry
  }

  /** Whoever opens connections and proves nothing must not keep members out. */
  #makeRoom(): void {
    const unproven = [...this.#entries.values()].filter(
      ({ settled, connection }) => !settled && connection.direction === 'inbound'
    )
    const [oldest] = unproven
    if (oldest != null && unproven.length > (this.#init.maxUnproven ?? MAX_UNPROVEN))
      this.#end(oldest, new CredentialError('Missing', 'others that have yet to prove themselves need the room'))
  }

  /** Shows our credential and looks at the other's. */
  async #show(entry: Entry): Promise<void> {
    const { connection } = entry
    const signal = AbortSignal.timeout(this.#proofTimeout)
    try {
      const stream = await connection.newStream(this.#protocol, { ...LIMITS, signal })
      const messages = proofStream(stream)
      await messages.show(this.#trust.own, signal)
      this.#accept(entry, await this.#trust.judge(await messages.read(signal), entry.peerId))
      await stream.close({ signal }).catch(() => {})
    } catch (err) {
      this.#failed(entry, err)
    }
  }

  /** The other side shows first. It counts as a member before it hears so: what it sends then is let through. */
  async #answer(stream: Stream, connection: Connection): Promise<void> {
    const entry = this.#entryOf(connection)
    const signal = AbortSignal.timeout(this.#proofTimeout)
    const messages = proofStream(stream)
    try {
      const chain = await messages.read(signal)
      let member: Member
      try {
        member = await this.#trust.judge(chain, entry.peerId)
      } catch (err) {
        if (err instanceof CredentialError) await messages.refuse(err, signal)
        throw err
      }
      this.#accept(entry, member)
      await messages.show(this.#trust.own, signal)
      await stream.close({ signal }).catch(() => {})
    } catch (err) {
      stream.abort(err instanceof Error ? err : new Error(String(err)))
      this.#failed(entry, err)
    }
  }

  #accept(entry: Entry, member: Member): void {
    if (!this.#entries.has(entry.connection.id)) return
    clearTimeout(entry.timer)
    const isNew = !this.#members.has(entry.peerId)
    this.#members.set(entry.peerId, member)
    if (!entry.settled) {
      entry.settled = true
      entry.proof.resolve(member)
    }
    if (isNew) this.#emit({ type: 'joined', peerId: entry.peerId })
  }

  #failed(entry: Entry, err: unknown): void {
    if (entry.connection.status !== 'open') return
    if (err instanceof CredentialError) this.#refuse(entry.peerId, err)
    // What broke off isn't judged: the other side may be in order, and tries again.
    else if (!entry.settled) this.#end(entry, new CredentialError('Missing', `the handshake failed: ${String(err)}`))
  }

  /** A peer that isn't believed loses every connection. */
  #refuse(peerId: string, error: CredentialError): void {
    this.#leave(peerId)
    for (const entry of [...this.#entries.values()]) {
      if (entry.peerId !== peerId) continue
      // Who was a member, and is in no handshake now, hears of it too, and ends its side: browsers take 15 s to notice.
      if (entry.settled && !(error instanceof RefusedByPeer)) void this.#tell(entry.connection, error)
      this.#end(entry, error)
    }
  }

  async #tell(connection: Connection, error: CredentialError): Promise<void> {
    const signal = AbortSignal.timeout(REFUSAL_LINGER)
    try {
      const stream = await connection.newStream(this.#protocol, { ...LIMITS, signal })
      await proofStream(stream).refuse(error, signal)
    } catch {
      // then it finds the connection closed
    }
  }

  /** Ends a connection, once the other side has had time to read why. */
  #end(entry: Entry, error: CredentialError): void {
    const { connection, peerId } = entry
    if (!this.#entries.delete(connection.id)) return
    clearTimeout(entry.timer)
    if (!entry.settled) {
      entry.settled = true
      entry.proof.reject(error)
    }
    this.#leaveUnlessConnected(peerId)
    this.#init.onRefusal?.({ peerId, error, by: error instanceof RefusedByPeer ? 'them' : 'us' })
    this.#ending.add(connection)
    setTimeout(() => {
      // In order, because a WebSocket of a browser, or of Node's own, can't be aborted.
      connection.close({ signal: AbortSignal.timeout(REFUSAL_LINGER) }).catch(() => connection.abort(error))
    }, REFUSAL_LINGER)
  }

  /** The handler hears of the stream when its peer has proven itself; libp2p keeps what comes on it meanwhile. */
  async #hold(handler: StreamHandler, stream: Stream, connection: Connection): Promise<void> {
    const entry = this.#entryOf(connection)
    if (entry.waiting >= MAX_WAITING_STREAMS) {
      stream.abort(new CredentialError('Missing', 'too many streams before the proof of membership'))
      return
    }
    entry.waiting++
    this.#held.add(stream)
    try {
      await entry.proof.promise
    } catch (err) {
      stream.abort(err instanceof Error ? err : new Error(String(err)))
      return
    } finally {
      entry.waiting--
      this.#held.release(stream)
    }
    await handler(stream, connection)
  }

  /** A proof lasts as long as any connection to its peer. */
  #closed(connection: Connection): void {
    const entry = this.#entries.get(connection.id)
    if (entry == null) return
    this.#entries.delete(connection.id)
    clearTimeout(entry.timer)
    if (!entry.settled) {
      entry.settled = true
      entry.proof.reject(new CredentialError('Missing', 'the connection closed before it was proven'))
    }
    this.#leaveUnlessConnected(entry.peerId)
  }

  #leaveUnlessConnected(peerId: string): void {
    for (const entry of this.#entries.values()) if (entry.peerId === peerId) return
    this.#leave(peerId)
  }

  #leave(peerId: string): void {
    if (this.#members.delete(peerId)) this.#emit({ type: 'left', peerId })
  }

  /** Ends the connections of those who were members. */
  #sweep(): void {
    this.#trust.sweep()
    for (const [peerId, member] of this.#members) {
      try {
        this.#trust.recheck(member)
      } catch (err) {
        if (!(err instanceof CredentialError)) throw err
        this.#refuse(peerId, err)
      }
    }
  }

  #emit(change: GateChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

function lateBy(timeout: number): CredentialError {
  return new CredentialError('Missing', `it did not prove to be a member within ${timeout / 1000} s`)
}
