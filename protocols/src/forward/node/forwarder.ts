import { finished } from 'node:stream/promises'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { MeshError } from '../../errors/index.ts'
import { forwardProtocol, forwardStreamsProtocol } from '../../ids/index.ts'
import { InvocationError } from '../../invocation/index.ts'
import {
  type InvokerComponents,
  MAX_PROTOCOL_STREAMS,
  multiplexing,
  routeOf,
  type StreamDuplex,
  streamDuplex
} from '../../invocation/node/index.ts'
import { createHttpStreams, type HttpStreams, openBest } from '../../invocation/streams/index.ts'
import { bestConnection } from '../../invocation/wire/route.ts'
import { decodeAnswer, encodeRequest, type ForwardRequest } from '../index.ts'
import { OPEN_TIMEOUT } from './constants.ts'
import type { ForwardedConnection, Forwarder, ForwarderInit } from './index.ts'
import { readMessage } from './read-message.ts'

export class StreamForwarder implements Forwarder {
  readonly #components: InvokerComponents
  readonly #streams: HttpStreams

  constructor(components: InvokerComponents, { mesh }: ForwarderInit) {
    this.#components = components
    this.#streams = createHttpStreams(multiplexing()(), {
      plain: forwardProtocol(mesh),
      carrier: forwardStreamsProtocol(mesh)
    })
  }

  async open(peer: string, request: ForwardRequest, { signal }: { signal: AbortSignal }): Promise<ForwardedConnection> {
    const duplex = await this.#openStream(peer, signal)
    const onAbort = (): void => void duplex.resetAndDestroy()
    signal.addEventListener('abort', onAbort, { once: true })
    // It may be reset before anybody listens, and by us.
    duplex.on('error', () => {})
    duplex.once('close', () => signal.removeEventListener('abort', onAbort))
    try {
      duplex.write(encodeRequest(request))
      const patience = AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT)])
      const refusal = decodeAnswer(await readMessage(duplex, patience))
      if (refusal != null) throw refusal
    } catch (err) {
      duplex.resetAndDestroy()
      if (err instanceof MeshError) throw err
      throw failure('connect', peer, 'the worker did not answer', err)
    }
    const closed = ended(peer, duplex)
    // Whoever doesn't ask how it ended isn't told.
    closed.catch(() => {})
    return { duplex, route: routeOf(duplex.connection), closed }
  }

  async #openStream(peer: string, signal: AbortSignal): Promise<StreamDuplex> {
    const peerId = peerIdOf(peer)
    const { getConnections, dial } = this.#components
    const ways = {
      best: () => bestConnection(getConnections(peerId)),
      reach: (signal: AbortSignal) => dial(peerId, { signal })
    }
    try {
      const { stream, connection } = await openBest(this.#streams, ways, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT)]),
        maxOutboundStreams: MAX_PROTOCOL_STREAMS
      })
      return streamDuplex(stream, connection, { raw: true })
    } catch (err) {
      if (err instanceof Error && err.name === 'UnsupportedProtocolError')
        throw new MeshError('NotServed', `${peer} forwards no connections`, {}, { cause: err })
      throw failure('connect', peer, 'no stream could be opened', err)
    }
  }
}

function peerIdOf(peer: string): PeerId {
  try {
    return peerIdFromString(peer)
  } catch (err) {
    throw new InvocationError('connect', peer, 'not a peer id', { cause: err })
  }
}

async function ended(peer: string, duplex: StreamDuplex): Promise<void> {
  try {
    await finished(duplex)
  } catch (err) {
    throw new InvocationError('receive', peer, 'the connection was reset', { cause: err, byPeer: duplex.endedByPeer })
  }
}

function failure(phase: 'connect', peer: string, what: string, cause: unknown): InvocationError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new InvocationError(phase, peer, `${what}: ${reason}`, { cause })
}
