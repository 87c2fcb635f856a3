import { networkInterfaces } from 'node:os'
import type { AccessSettings } from '@hedgerow/daemon/access'
import { systemClock } from '@hedgerow/daemon/clock'
import type { RelaySource } from '@hedgerow/daemon/discovery'
import type { Membership } from '@hedgerow/daemon/membership'
import { createPeer, noServices, type Peer } from '@hedgerow/daemon/peer'
import { type Program, VERSION } from '@hedgerow/daemon/process'
import { freePort, type PublicWay } from '@hedgerow/daemon/startup'
import type { Traces } from '@hedgerow/daemon/tracing'
import type { ServiceContract } from '@hedgerow/protocols/contract'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import { CONSOLE, consoleRoutes, isBuilt } from './console.ts'
import { EdgeRegistration } from './edge-registration.ts'
import { joinRoutes } from './join-routes.ts'
import type { RelaySettings } from './settings.ts'

export interface RelayInit {
  settings: RelaySettings
  /** who may call over HTTP */
  access: AccessSettings
  /** how the internet gets here */
  way: PublicWay
  privateKey: PrivateKey
  membership: Membership
  /** others of the mesh to join through */
  relays: RelaySource[]
  dataDir: string
  /** services that ship, so that the relay knows their names before any worker came */
  contracts: ServiceContract[]
  /** what is recorded of requests. @default nothing */
  traces?: Traces | undefined
  log: Logger
}

export interface Relay extends Program {
  readonly peer: Peer
  start(): Promise<void>
}

/**
 * A peer that others can reach: circuit relay, DHT server and HTTP bridge. One port carries HTTP and libp2p: WebSocket
 * upgrades go to the node, the rest to the HTTP API.
 */
export async function createRelay(init: RelayInit): Promise<Relay> {
  const { settings, access, way, privateKey, membership, relays, dataDir, contracts, traces, log } = init
  const { mesh } = membership
  const httpPort = settings.httpPort === 0 ? await freePort() : settings.httpPort
  // The node's own WebSocket listener stays on loopback; the world sees the HTTP port.
  const wsPort = await freePort()
  const privateAddr = `/ip4/127.0.0.1/tcp/${wsPort}/ws`
  const entrances = localAddrs(settings, httpPort)
  const peer = await createPeer(
    {
      privateKey,
      mesh,
      role: 'relay',
      name: settings.name,
      version: VERSION,
      dataDir,
      capabilities: { cores: 0, memory: 0, disk: 0, gpus: [], arch: process.arch, platform: process.platform },
      relays,
      listen: [...(settings.listen ?? []), privateAddr],
      announce: [...settings.announce, ...entrances],
      entrances,
      noAnnounce: [privateAddr],
      iceServers: settings.iceServers,
      mdns: settings.mdns,
      upnp: settings.upnp,
      auditDays: settings.auditDays,
      auditMb: settings.auditMb,
      ...(way.url == null ? {} : { url: way.url }),
      http: {
        ...access,
        host: settings.httpHost,
        port: httpPort,
        corsOrigins: settings.corsOrigins,
        bridgeClasses: settings.bridgeClasses,
        webSocketPort: wsPort,
        ...(way.tunnelPort == null ? {} : { tunnelPort: way.tunnelPort })
      }
    },
    { services: noServices(contracts), membership, traces, log, ...(way.tunnel == null ? {} : { tunnel: way.tunnel }) }
  )
  const hasConsole = await isBuilt(CONSOLE)
  if (!hasConsole) log.warn({ folder: CONSOLE }, 'the console is not built, so / leads to the description of the API')
  for (const { app } of peer.entrances) {
    await app.register(joinRoutes({ peer, mesh }))
    if (hasConsole) await app.register(consoleRoutes(CONSOLE))
    else if (app === peer.api) {
      const route = { schema: { hide: true }, config: { everybody: true } }
      app.get('/', route, async (_request, reply) => reply.redirect('/docs'))
    }
  }
  const edge = edgeRegistration(settings, way, peer, log)
  return {
    peer,
    async start() {
      await peer.start()
      edge?.start()
      // The DHT takes seconds, and nobody waits for it.
      void peer.directory.provide('relay')
    },
    async drain() {
      // First: who is sent here from now on is refused.
      edge?.stop()
      await peer.drain()
    },
    async stop() {
      edge?.stop()
      await peer.stop()
    }
  }
}

function edgeRegistration(
  settings: RelaySettings,
  way: PublicWay,
  peer: Peer,
  log: Logger
): EdgeRegistration | undefined {
  const { edge, edgeToken: token, name } = settings
  if (edge == null || token == null) return undefined
  const { peerId } = peer.self
  return new EdgeRegistration(
    { edge, token, name, peerId, url: () => way.tunnel?.status().url ?? way.url },
    { clock: systemClock, random: Math.random, today: Date.now, log }
  )
}

function localAddrs({ httpHost }: RelaySettings, httpPort: number): string[] {
  // Workers tell others of these as places to be reached through, so an address of every network counts.
  const hosts = httpHost === '0.0.0.0' ? ipv4Addresses() : [httpHost]
  return hosts.map(host => `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp/${httpPort}/ws`)
}

/** Of this machine; loopback last. */
function ipv4Addresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(({ family }) => family === 'IPv4')
    .sort((a, b) => Number(a.internal) - Number(b.internal))
    .map(({ address }) => address)
}
