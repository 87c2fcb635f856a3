import {
  addSettings,
  ConfigError,
  type PeerSettings,
  parsers,
  peerSettings,
  readSettings,
  type Setting,
  TRACES_HELP,
  TUNNEL_HELP
} from '@hedgerow/daemon/config'
import { Command } from 'commander'

export interface RelaySettings extends PeerSettings {
  /** origin */
  edge?: string
  edgeToken?: string
}

const SETTINGS: Setting[] = [
  // Frontends on any site call a relay; who they are is for credentials to say, not for CORS.
  ...peerSettings({ role: 'relay', httpPort: 8080, corsOrigins: ['*'] }),
  {
    flags: '--edge <url>',
    env: 'HEDGEROW_EDGE',
    help: 'an edge (a Cloudflare Worker, bootstrap-relay/edge) to register with, so that it sends requests here too',
    parse: parsers.secureOrigin
  },
  {
    flags: '--edge-token <secret>',
    env: 'HEDGEROW_EDGE_TOKEN',
    help: 'the secret of that edge; as an option, everybody on this machine can read it: better as the variable',
    parse: parsers.token
  }
]

/** @throws {ConfigError} @throws {NothingToDo} after --help */
export function readRelaySettings(argv: string[], version: string): RelaySettings {
  const command = new Command('hedgerow-relay')
    .description('Runs a relay of a Hedgerow mesh: bootstraps peers, connects those behind NATs, bridges plain HTTP.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'say how it is used')
    .addHelpText(
      'after',
      `
One port carries HTTP and libp2p (WebSocket). A mesh may have any number of relays; name the others with --relay.

Examples:
  hedgerow-relay                                                   on 127.0.0.1:8080, for this machine
  hedgerow-relay --tunnel quick                                    on the internet, by a Cloudflare tunnel with no account
  HEDGEROW_URL=https://relay.example.org hedgerow-relay --tunnel-port 8090   behind a tunnel or a TLS proxy, at 8090
  hedgerow-relay --relay https://other.example.org                 one more of a mesh that has one

${TUNNEL_HELP}

${TRACES_HELP}

Exit codes: 0 ended in order   1 failed   2 a setting is wrong`
    )
  const settings = readSettings(addSettings(command, SETTINGS), SETTINGS, argv) as unknown as RelaySettings
  if (settings.edge != null && settings.edgeToken == null)
    throw new ConfigError('HEDGEROW_EDGE_TOKEN', 'it is needed with HEDGEROW_EDGE: the secret EDGE_TOKEN of that edge')
  if (settings.edge != null && settings.url == null && settings.tunnel === 'off')
    throw new ConfigError(
      'HEDGEROW_EDGE',
      'it needs HEDGEROW_URL or HEDGEROW_TUNNEL: where the edge, or anybody, can reach this relay'
    )
  return settings
}
