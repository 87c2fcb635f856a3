/** libp2p nodes to test with, over each transport, all of them real. */
import type { RequestListener, Server, ServerOptions } from 'node:http'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { memory } from '@libp2p/memory'
import { peerIdFromString } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { pEvent } from 'p-event'
import type { IncomingAnswer, Invoker, OutgoingRequest } from '../../src/invocation/index.ts'
import {
  createInvoker,
  createStreamServer,
  encryption,
  type HttpService,
  type InvokerInit,
  multiplexing,
  type NodeInvoker,
  type ServeInit,
  serveHttp
} from '../../src/invocation/node/index.ts'
import { createPageInvoker, type StoppableInvoker } from '../../src/invocation/web/index.ts'

export type TransportName = 'tcp' | 'ws' | 'memory' | 'webrtc-direct'

const TRANSPORTS = {
  tcp,
  ws: webSockets,
  memory,
  'webrtc-direct': () => webRTCDirect({ rtcConfiguration: { iceServers: [] } })
}
const LISTEN = {
  tcp: '/ip4/127.0.0.1/tcp/0',
  ws: '/ip4/127.0.0.1/tcp/0/ws',
  memory: '/memory',
  'webrtc-direct': '/ip4/127.0.0.1/udp/0/webrtc-direct'
}
let memoryAddresses = 0

export function createNode(transport: TransportName, listens: boolean): Promise<Libp2p> {
  const listen = transport === 'memory' ? `${LISTEN.memory}/hedgerow-${++memoryAddresses}` : LISTEN[transport]
  return createLibp2p({
    addresses: { listen: listens ? [listen] : [] },
    transports: [TRANSPORTS[transport]()],
    connectionEncrypters: [encryption()],
    streamMuxers: [multiplexing()],
    connectionMonitor: { enabled: false }
  })
}

/** A node that asks, connected to one that answers. */
export interface Pair {
  client: Libp2p
  server: Libp2p
  /** peer id of the server */
  peer: string
  connect(): Promise<Connection>
  stop(): Promise<void>
}

export async function createPair(transport: TransportName): Promise<Pair> {
  const [client, server] = await Promise.all([createNode(transport, false), createNode(transport, true)])
  const connect = (): Promise<Connection> => client.dial(server.getMultiaddrs())
  await connect()
  return {
    client,
    server,
    peer: server.peerId.toString(),
    connect,
    stop: async () => {
      await Promise.all([client.stop(), server.stop()])
    }
  }
}

/** The two know each other through a third only. */
export async function createRelayedPair(): Promise<Pair> {
  const base = {
    connectionEncrypters: [encryption()],
    streamMuxers: [multiplexing()],
    connectionMonitor: { enabled: false }
  }
  const relay = await createLibp2p({
    ...base,
    addresses: { listen: [LISTEN.tcp] },
    transports: [tcp()],
    services: {
      identify: identify(),
      relay: circuitRelayServer({
        reservations: { defaultDataLimit: 1n << 32n, defaultDurationLimit: 60 * 60_000, applyDefaultLimit: true }
      })
    }
  })
  const [relayAddress] = relay.getMultiaddrs()
  if (relayAddress == null) throw new Error('the relay does not listen')
  const server = await createLibp2p({
    ...base,
    addresses: { listen: [relayAddress.encapsulate('/p2p-circuit').toString()] },
    transports: [tcp(), circuitRelayTransport()],
    services: { identify: identify() }
  })
  const client = await createLibp2p({
    ...base,
    transports: [tcp(), circuitRelayTransport()],
    services: { identify: identify() }
  })
  const address = multiaddr(`${relayAddress.toString()}/p2p-circuit/p2p/${server.peerId.toString()}`)
  while (server.getMultiaddrs().length === 0) await pEvent(server, 'self:peer:update', { timeout: 10_000 })
  const connect = (): Promise<Connection> => client.dial(address)
  await connect()
  return {
    client,
    server,
    peer: server.peerId.toString(),
    connect,
    stop: async () => {
      await Promise.all([client.stop(), server.stop(), relay.stop()])
    }
  }
}

export interface Served extends Client<NodeInvoker> {
  httpServer: Server
  service: HttpService
  stop(): Promise<void>
}

export interface ServedInit {
  invoker?: InvokerInit
  serve?: ServeInit
  http?: ServerOptions
}

/** An HTTP client on one node of a pair. */
export interface Client<I extends Invoker = Invoker> {
  invoker: I
  /** asks the server for something; GET / without a body unless said otherwise */
  ask(request?: Partial<OutgoingRequest>, signal?: AbortSignal): Promise<IncomingAnswer>
}

/** The one that pages use; it runs in Node too. */
export function pageClient({ client, peer }: Pair): Client<StoppableInvoker> {
  const invoker = createPageInvoker({
    connectionsTo: id => client.getConnections(peerIdFromString(id)),
    reach: (id, signal) => client.dial(peerIdFromString(id), { signal })
  })
  return { invoker, ask: asker(invoker, peer) }
}

function asker(invoker: Invoker, peer: string): Client['ask'] {
  return (request = {}, signal = new AbortController().signal) =>
    invoker.invoke(peer, { method: 'GET', path: '/', headers: {}, body: null, ...request }, { signal })
}

/** Serves `listener` on one node of a pair, and gives the other an invoker. */
export async function serve(pair: Pair, listener: RequestListener, init: ServedInit = {}): Promise<Served> {
  const httpServer = createStreamServer(listener, init.http)
  const service = await serveHttp(pair.server, httpServer, init.serve)
  const invoker = createInvoker(pair.client, init.invoker)
  return {
    httpServer,
    service,
    invoker,
    ask: asker(invoker, pair.peer),
    stop: async () => {
      invoker.stop()
      await service.stop()
      httpServer.close()
    }
  }
}

export async function bytesOf(answer: IncomingAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function textOf(answer: IncomingAnswer): Promise<string> {
  return (await bytesOf(answer)).toString()
}

/** Resolves as soon as `condition` holds; asks again whenever the event loop has gone round. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 1))
}
