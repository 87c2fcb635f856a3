import type { Connection, Stream } from '@libp2p/interface'
import { MeshError, toMeshError } from '../../errors/index.ts'
import { forwardProtocol, forwardStreamsProtocol } from '../../ids/index.ts'
import { MAX_CARRIERS } from '../../invocation/node/constants.ts'
import {
  MAX_PROTOCOL_STREAMS,
  multiplexing,
  type ServeComponents,
  type StreamDuplex,
  streamDuplex
} from '../../invocation/node/index.ts'
import { acceptStreams } from '../../invocation/streams/index.ts'
import { decodeRequest, encodeAnswer, type ForwardRequest } from '../index.ts'
import { carry, type Way } from '../splice/index.ts'
import { REQUEST_TIMEOUT } from './constants.ts'
import type { ForwardService, ServeForwardsInit } from './index.ts'
import { readMessage } from './read-message.ts'

export class ForwardServer implements ForwardService {
  readonly #components: ServeComponents
  readonly #init: ServeForwardsInit
  readonly #max: number
  readonly #open = new Set<StreamDuplex>()
  readonly #perPeer = new Map<string, number>()
  readonly #stopping = new AbortController()

  constructor(components: ServeComponents, init: ServeForwardsInit) {
    this.#components = components
    this.#init = init
    this.#max = init.maxStreamsPerPeer ?? MAX_PROTOCOL_STREAMS
  }

  get streams(): number {
    return this.#open.size
  }

  async start(): Promise<void> {
    const { mesh } = this.#init
    await this.#components.handle(forwardProtocol(mesh), this.#onStream, {
      runOnLimitedConnection: true,
      maxInboundStreams: this.#max,
      maxOutboundStreams: MAX_PROTOCOL_STREAMS
    })
    await this.#components.handle(forwardStreamsProtocol(mesh), this.#onCarrier, { maxInboundStreams: MAX_CARRIERS })
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort(new MeshError('Draining', 'this worker is stopping'))
    const { mesh } = this.#init
    await this.#components.unhandle(forwardProtocol(mesh))
    await this.#components.unhandle(forwardStreamsProtocol(mesh))
  }

  #onCarrier = (carrier: Stream, connection: Connection): void => {
    acceptStreams(carrier, multiplexing()(), stream => this.#onStream(stream, connection))
  }

  #onStream = (stream: Stream, connection: Connection): void => {
    const peer = connection.remotePeer.toString()
    const count = this.#perPeer.get(peer) ?? 0
    if (this.#stopping.signal.aborted || count >= this.#max) {
      stream.abort(new Error(`${count} connections of ${peer} are open already`))
      return
    }
    const duplex = streamDuplex(stream, connection, { raw: true })
    this.#perPeer.set(peer, count + 1)
    this.#open.add(duplex)
    duplex.on('error', () => {})
    duplex.once('close', () => {
      this.#open.delete(duplex)
      const left = (this.#perPeer.get(peer) ?? 1) - 1
      if (left === 0) this.#perPeer.delete(peer)
      else this.#perPeer.set(peer, left)
    })
    // How it ended is told by whoever serves it, and to the other side by the end or the reset.
    this.#serve(peer, duplex).catch(() => {})
  }

  async #serve(peer: string, duplex: StreamDuplex): Promise<void> {
    const { signal } = this.#stopping
    let request: ForwardRequest
    try {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT)])
      request = decodeRequest(await readMessage(duplex, patience))
    } catch (err) {
      // Not one of ours, or in no hurry: there is nothing to say to it.
      duplex.resetAndDestroy()
      throw err
    }
    await carry(duplex, gone => this.#answer(peer, request, duplex, gone), signal)
  }

  async #answer(peer: string, request: ForwardRequest, duplex: StreamDuplex, signal: AbortSignal): Promise<Way> {
    try {
      const way = await this.#init.open(peer, request, signal)
      duplex.write(encodeAnswer())
      return way
    } catch (err) {
      const refusal = toMeshError(err)
      if (refusal.code === 'Internal') this.#init.onError?.(err)
      // Whatever the other side does, the stream ends here.
      duplex.end(encodeAnswer(refusal), () => duplex.destroy())
      throw refusal
    }
  }
}
