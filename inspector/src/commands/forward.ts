import { createServer, type Server, type Socket } from 'node:net'
import { carry, reset } from '@hedgerow/protocols/forward/splice'
import { InspectorError } from '../errors.ts'
import type { Connection, MeshSource } from '../source/index.ts'
import { findWorker } from './call.ts'
import { unknownService } from './services.ts'

export interface ForwardOptions {
  /** name or alias */
  service: string
  /** 0 = any that is free */
  port: number
  /** a peer's name, or a part of its id. @default any that offers the service */
  worker?: string
  dataClass?: string
  maxConnections: number
}

/** One connection that came to the port, when it is over. */
export interface ForwardedReport {
  /** where it came from, as in `127.0.0.1:51234` */
  client: string
  request_id: string | null
  /** peer id of the worker */
  worker: string | null
  path: string | null
  transport: string | null
  /** bytes to the service */
  sent: number
  /** bytes from the service */
  received: number
  /** milliseconds */
  ms: number
  /** why it was refused or reset */
  error?: string
}

export interface ForwardEvents {
  /** the port is open */
  onListening(place: { host: string; port: number; service: string }): void
  onConnection(report: ForwardedReport): void
  /** no more are taken; so many are open */
  onDraining(open: number): void
}

/** Programs of this machine alone: whoever reaches the port is let into the service. */
const HOST = '127.0.0.1'
/** Milliseconds that connections may go on after the end was asked for. */
const DRAIN = 30_000

/**
 * Listens at a port of this machine and carries each connection to a worker of the service.
 *
 * @param signal ends it in order: connections that are open may go on for a while
 * @throws {InspectorError}
 */
export async function forward(
  source: MeshSource,
  options: ForwardOptions,
  events: ForwardEvents,
  signal: AbortSignal
): Promise<void> {
  const service = await tcpService(source, options.service, signal)
  const worker = options.worker == null ? undefined : (await findWorker(source, options.worker, signal)).peer_id
  const ended = new AbortController()
  const open = new Set<Promise<void>>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    const carried = carryOne(source, socket, { ...options, service, worker }, ended.signal).then(events.onConnection)
    open.add(carried)
    void carried.finally(() => open.delete(carried))
  })
  server.maxConnections = options.maxConnections
  server.on('drop', data => {
    const client = `${data?.remoteAddress}:${data?.remotePort}`
    const error = `${options.maxConnections} connections are open already (--max-connections)`
    events.onConnection({ ...NOTHING, client, error })
  })
  const port = await listen(server, options.port)
  events.onListening({ host: HOST, port, service })
  await aborted(signal)
  server.close()
  if (open.size > 0) events.onDraining(open.size)
  const timer = setTimeout(() => ended.abort(new Error('this command ends')), DRAIN)
  await Promise.all(open)
  clearTimeout(timer)
}

const NOTHING = { request_id: null, worker: null, path: null, transport: null, sent: 0, received: 0, ms: 0 }

async function carryOne(
  source: MeshSource,
  socket: Socket,
  { service, worker, dataClass }: { service: string; worker: string | undefined; dataClass?: string },
  signal: AbortSignal
): Promise<ForwardedReport> {
  const client = `${socket.remoteAddress}:${socket.remotePort}`
  const startedAt = performance.now()
  let connection: Connection | undefined
  let error: string | undefined
  try {
    const open = async (gone: AbortSignal) => {
      connection = await source.connect(
        { service, ...(worker == null ? {} : { worker }), ...(dataClass == null ? {} : { dataClass }) },
        gone
      )
      return connection
    }
    await carry(socket, open, signal)
  } catch (err) {
    error = socket.errored != null ? 'the client left' : err instanceof Error ? err.message : String(err)
    reset(socket)
  }
  return {
    client,
    request_id: connection?.requestId ?? null,
    worker: connection?.worker ?? null,
    path: connection?.path ?? null,
    transport: connection?.transport ?? null,
    sent: socket.bytesRead,
    received: socket.bytesWritten,
    ms: Math.round(performance.now() - startedAt),
    ...(error == null ? {} : { error })
  }
}

/** @returns its own name @throws {InspectorError} when there is none of that name, or it speaks HTTP */
async function tcpService(source: MeshSource, given: string, signal: AbortSignal): Promise<string> {
  const services = await source.services(signal)
  const found = services.find(({ name, aliases }) => name === given || aliases.includes(given))
  if (found == null) throw await unknownService(source, given, signal)
  if (found.protocol === 'tcp') return found.name
  throw new InspectorError('Failed', `${found.name} speaks HTTP, so there is nothing to forward`, [
    `hedgerow call ${found.name}/... sends it a request`
  ])
}

const LISTEN_ERRORS: Record<string, string> = {
  EADDRINUSE: 'is in use; name another, or 0 for any that is free',
  EACCES: 'is not for this user to listen on; name one above 1023'
}

async function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (err: NodeJS.ErrnoException) => {
    const reason = LISTEN_ERRORS[err.code ?? ''] ?? `can't be listened on (${err.message})`
    reject(new InspectorError('Failed', `port ${port} ${reason}`, [], { cause: err }))
  })
  server.listen({ host: HOST, port }, resolve)
  await promise
  const address = server.address()
  return typeof address === 'object' && address != null ? address.port : port
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
