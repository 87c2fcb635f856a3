import { type ForwardService, serveForwards } from '@hedgerow/protocols/forward/node'
import { type HttpService, type ServeComponents, serveHttp } from '@hedgerow/protocols/invocation/node'
import { type ApiParts, buildLocalApi, buildNestedApi, buildPeerApi, buildTunnelApi } from './apis.ts'
import type { Entrance } from './index.ts'
import type { Network } from './network.ts'
import type { Serves } from './serves.ts'
import { urlOf } from './url.ts'

/** Wherever somebody reaches this peer: over HTTP, over libp2p, and from its own backends. */
export interface Listeners {
  /** the first is for programs of this machine or network; the second, where there is one, for the internet */
  readonly entrances: [Entrance, ...Entrance[]]
  /** where backends call the mesh; of workers, once it listens */
  readonly meshUrl: string
  /** over HTTP */
  listen(): Promise<void>
  /** over libp2p, for members */
  serve(): Promise<void>
  closeIdle(): void
  /** no more of HTTP */
  close(): Promise<void>
  /** no more of libp2p either, nor from backends */
  stop(): Promise<void>
}

export async function createListeners(
  parts: ApiParts,
  { node, gate }: Pick<Network, 'node' | 'gate'>,
  { connections }: Pick<Serves, 'connections'>
): Promise<Listeners> {
  const { config } = parts
  const isWorker = config.role === 'worker'
  const local = await buildLocalApi(parts)
  const tunnel = config.http?.tunnelPort == null ? undefined : await buildTunnelApi(parts)
  const { app: remote, server: remoteServer } = await buildPeerApi(parts)
  const nested = await buildNestedApi(parts)
  const entrances: Listeners['entrances'] = tunnel == null ? [local] : [local, tunnel]
  // Others' streams end here.
  const forMembers: ServeComponents = {
    handle: (protocol, handler, options) => node.handle(protocol, gate.guardHandler(handler), options),
    unhandle: protocol => node.unhandle(protocol)
  }
  let http: HttpService | undefined
  let forwards: ForwardService | undefined
  return {
    entrances,
    get meshUrl() {
      return urlOf(nested)
    },
    async listen() {
      const { http: at } = config
      if (at == null) await local.app.ready()
      else await local.app.listen({ host: at.host, port: at.port })
      await tunnel?.app.listen({ host: '127.0.0.1', port: at?.tunnelPort ?? 0 })
      if (isWorker) await nested.listen({ host: '127.0.0.1', port: 0 })
      await remote.ready()
    },
    async serve() {
      http = await serveHttp(forMembers, remoteServer)
      if (!isWorker) return
      forwards = await serveForwards(forMembers, {
        mesh: config.mesh,
        open: async (peer, request, signal) => {
          const { socket, ending } = await connections.connect(peer, request, signal)
          return { duplex: socket, ending }
        }
      })
    },
    closeIdle() {
      for (const { app } of entrances) app.server.closeIdleConnections()
    },
    async close() {
      await Promise.all(entrances.map(({ app }) => app.close()))
    },
    async stop() {
      await nested.close()
      await forwards?.stop()
      await http?.stop()
      await remote.close()
    }
  }
}
