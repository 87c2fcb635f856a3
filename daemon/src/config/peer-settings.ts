import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { ADDRESS_RATE } from '../access/constants.ts'
import type { AddressRange, Grant } from '../access/index.ts'
import { AUDIT_DAYS, AUDIT_SIZE } from '../audit/index.ts'
import type { RelaySource } from '../discovery/index.ts'
import { LOG_LEVELS, type LogLevel } from '../logging/index.ts'
import type { IceServer } from '../node/ice-servers.ts'
import { TRACES_PER_SECOND } from '../tracing/constants.ts'
import type { Setting } from './index.ts'
import * as parsers from './parsers.ts'
import { type TunnelSettings, tunnelSettings } from './tunnel-settings.ts'

/** What workers and relays have in common. */
export interface PeerSettings extends TunnelSettings {
  relay: RelaySource[]
  name: string
  mesh?: string
  /** a membership file, or what stands in one */
  credential?: string
  invite?: string
  dataDir: string
  httpPort: number
  httpHost: string
  httpOpen: boolean
  corsOrigins: string[]
  bridgeClasses: string[]
  oidcIssuer?: string
  oidcAudience?: string
  oidcRights: Grant[]
  trustedProxies: AddressRange[]
  addressRate: number
  upnp: boolean
  listen?: string[]
  announce: string[]
  iceServers: IceServer[]
  mdns: boolean
  auditDays: number
  /** MiB */
  auditMb: number
  tracesPerSecond: number
  logLevel: LogLevel
}

export interface PeerDefaults {
  role: 'daemon' | 'relay'
  httpPort: number
  corsOrigins: string[]
}

/** Where a peer keeps identity and state when nothing says so. */
export function defaultDataDir(role: PeerDefaults['role']): string {
  return join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'hedgerow', role)
}

export function peerSettings({ role, httpPort, corsOrigins }: PeerDefaults): Setting[] {
  return [
    {
      flags: '--relay <list>',
      env: 'HEDGEROW_RELAY',
      oldEnv: 'COORDINATOR_URL',
      help: 'relays to join through: URLs or multiaddrs, comma-separated; with none it is a mesh of its own',
      default: [],
      parse: parsers.relays
    },
    {
      flags: '--name <name>',
      env: 'HEDGEROW_NAME',
      help: 'what others see this machine called',
      // Both may run on one machine.
      default: role === 'relay' ? `${hostname()}-relay` : hostname(),
      parse: parsers.text
    },
    {
      flags: '--mesh <name>',
      env: 'HEDGEROW_MESH',
      help: "which mesh this is (default: the relay's, else hedgerow)",
      parse: parsers.name
    },
    {
      flags: '--invite <string>',
      env: 'HEDGEROW_INVITE',
      help: 'joins a closed mesh: the string that `hedgerow mesh invite` prints; needed once, and it names the relays too',
      parse: parsers.token
    },
    {
      flags: '--credential <file>',
      env: 'HEDGEROW_CREDENTIAL',
      help: 'membership of a closed mesh, as `hedgerow mesh sign` writes it: a file, which is watched, or its text',
      parse: parsers.token
    },
    {
      flags: '--data-dir <folder>',
      env: 'HEDGEROW_DATA_DIR',
      help: 'where identity and state are kept',
      default: defaultDataDir(role),
      parse: parsers.text
    },
    {
      flags: '--http-port <port>',
      env: 'HEDGEROW_HTTP_PORT',
      help: 'port of the HTTP API',
      default: httpPort,
      parse: parsers.port
    },
    {
      flags: '--http-host <address>',
      env: 'HEDGEROW_HTTP_HOST',
      help: 'address of the HTTP API; any but loopback needs callers with keys (hedgerow key create) or tokens',
      default: '127.0.0.1',
      parse: parsers.text
    },
    {
      flags: '--http-open <bool>',
      env: 'HEDGEROW_HTTP_OPEN',
      help: 'let everybody call the HTTP API without a key, wherever it listens; for trying out only',
      default: false,
      parse: parsers.flag
    },
    {
      flags: '--oidc-issuer <url>',
      env: 'HEDGEROW_OIDC_ISSUER',
      help: 'OIDC issuer whose tokens callers may sign in with',
      parse: parsers.issuer
    },
    {
      flags: '--oidc-audience <name>',
      env: 'HEDGEROW_OIDC_AUDIENCE',
      help: 'what these tokens must be issued for; needed with --oidc-issuer',
      parse: parsers.text
    },
    {
      flags: '--oidc-rights <list>',
      env: 'HEDGEROW_OIDC_RIGHTS',
      help: 'what they may do: a right (call|read|admin|enrol) for all, or claim/value=right for those whose token says so',
      default: [{ right: 'call' }],
      shown: 'call',
      parse: parsers.grants
    },
    {
      flags: '--trusted-proxies <list>',
      env: 'HEDGEROW_TRUSTED_PROXIES',
      help: 'addresses or networks of proxies that may say for whom they ask (X-Forwarded-For)',
      default: [],
      parse: parsers.ranges
    },
    {
      flags: '--address-rate <n>',
      env: 'HEDGEROW_ADDRESS_RATE',
      help: 'requests a second that one address may send, this machine apart; twice as many at once',
      default: ADDRESS_RATE.perSecond,
      parse: parsers.positive
    },
    {
      flags: '--cors-origins <list>',
      env: 'HEDGEROW_CORS_ORIGINS',
      help: 'origins of pages that may call the HTTP API; * = any',
      default: corsOrigins,
      parse: parsers.origins
    },
    {
      flags: '--bridge-classes <list>',
      env: 'HEDGEROW_BRIDGE_CLASSES',
      help: `classes of data that may enter ${role === 'relay' ? 'over HTTP' : 'where others than this machine call'}, though this peer sees it in clear`,
      default: ['public', 'internal'],
      parse: parsers.names
    },
    ...tunnelSettings(role),
    {
      flags: '--listen <list>',
      env: 'HEDGEROW_LISTEN',
      help: 'multiaddrs to listen on for other peers (default: every address, a port that is kept)',
      parse: parsers.multiaddrs
    },
    {
      flags: '--announce <list>',
      env: 'HEDGEROW_ANNOUNCE',
      help: 'further multiaddrs by which others can reach this peer',
      default: [],
      parse: parsers.multiaddrs
    },
    {
      flags: '--ice-servers <list>',
      env: 'HEDGEROW_ICE_SERVERS',
      help: `STUN and TURN servers of this mesh, for direct connections between networks: stun:host:port, turn:user:password@host:port${role === 'relay' ? '' : '; with none, those of its relay'}`,
      default: [],
      parse: parsers.iceServers
    },
    {
      flags: '--mdns <bool>',
      env: 'HEDGEROW_MDNS',
      help: 'find neighbours on the local network',
      default: true,
      parse: parsers.flag
    },
    {
      flags: '--audit-days <n>',
      env: 'HEDGEROW_AUDIT_DAYS',
      help: 'how long it is kept in the data directory who called what (never what they sent); 0 = not at all',
      default: AUDIT_DAYS,
      parse: parsers.count
    },
    {
      flags: '--audit-mb <n>',
      env: 'HEDGEROW_AUDIT_MB',
      help: 'MiB that it may take up; beyond that the oldest is deleted before its days are over',
      default: AUDIT_SIZE,
      parse: parsers.positive
    },
    {
      flags: '--traces-per-second <n>',
      env: 'HEDGEROW_TRACES_PER_SECOND',
      help: 'traces that are recorded at most, of those that callers begin and of those that begin here; see OTEL_ below',
      default: TRACES_PER_SECOND,
      parse: parsers.positive
    },
    {
      flags: '--log-level <level>',
      env: 'LOG_LEVEL',
      help: LOG_LEVELS.join('|'),
      default: 'info',
      parse: parsers.oneOf(...LOG_LEVELS)
    }
  ]
}
