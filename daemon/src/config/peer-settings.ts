import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { AUDIT_DAYS } from '../audit/index.ts'
import type { RelaySource } from '../discovery/index.ts'
import { LOG_LEVELS, type LogLevel } from '../logging/index.ts'
import type { IceServer } from '../node/ice-servers.ts'
import type { Setting } from './index.ts'
import * as parsers from './parsers.ts'

/** What workers and relays have in common. */
export interface PeerSettings {
  relay: RelaySource[]
  name: string
  mesh?: string
  dataDir: string
  httpPort: number
  httpHost: string
  corsOrigins: string[]
  listen?: string[]
  announce: string[]
  iceServers: IceServer[]
  mdns: boolean
  auditDays: number
  logLevel: LogLevel
}

export interface PeerDefaults {
  role: 'daemon' | 'relay'
  httpPort: number
  corsOrigins: string[]
}

function dataHome(): string {
  return process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share')
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
      flags: '--data-dir <folder>',
      env: 'HEDGEROW_DATA_DIR',
      help: 'where identity and state are kept',
      default: join(dataHome(), 'hedgerow', role),
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
      help: 'address of the HTTP API',
      default: '127.0.0.1',
      parse: parsers.text
    },
    {
      flags: '--cors-origins <list>',
      env: 'HEDGEROW_CORS_ORIGINS',
      help: 'origins of pages that may call the HTTP API; * = any',
      default: corsOrigins,
      parse: parsers.origins
    },
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
      flags: '--log-level <level>',
      env: 'LOG_LEVEL',
      help: LOG_LEVELS.join('|'),
      default: 'info',
      parse: parsers.oneOf(...LOG_LEVELS)
    }
  ]
}
