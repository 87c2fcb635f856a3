import type { Setting } from './index.ts'
import * as parsers from './parsers.ts'

/** How the internet gets to a peer. */
export interface TunnelSettings {
  url?: string
  tunnel: 'off' | 'quick' | 'named'
  tunnelPort?: number
  tunnelTokenFile?: string
  cloudflared?: string
}

const origin = (value: string): string => parsers.url(value).origin

export function tunnelSettings(role: 'daemon' | 'relay'): Setting[] {
  return [
    {
      flags: '--url <url>',
      env: 'HEDGEROW_URL',
      help: `where this ${role === 'relay' ? 'relay' : 'worker'} can be reached from the internet, as in https://mesh.example.org`,
      parse: origin
    },
    {
      flags: '--tunnel <kind>',
      env: 'HEDGEROW_TUNNEL',
      help: 'off|quick|named: runs cloudflared, so that the internet gets here though no port is open; quick needs no account and has a new name at each start',
      default: 'off',
      parse: parsers.oneOf('off', 'quick', 'named')
    },
    {
      flags: '--tunnel-port <port>',
      env: 'HEDGEROW_TUNNEL_PORT',
      help: 'a second port, on loopback, for a tunnel or proxy that brings the world: bridge routes only, keys needed (default: none, any free one with --tunnel quick)',
      parse: parsers.port
    },
    {
      flags: '--tunnel-token-file <file>',
      env: 'HEDGEROW_TUNNEL_TOKEN_FILE',
      help: 'holds the token of a named tunnel; or HEDGEROW_TUNNEL_TOKEN is the token, as a variable only',
      parse: parsers.text
    },
    {
      flags: '--cloudflared <program>',
      env: 'HEDGEROW_CLOUDFLARED',
      help: 'the program that --tunnel runs (default: cloudflared, looked for in PATH)',
      parse: parsers.text
    },
    {
      flags: '--upnp <on|off>',
      env: 'HEDGEROW_UPNP',
      help: "ask this network's router (UPnP) to let connections of the internet in, to the libp2p TCP port alone; the router's owner should agree",
      default: false,
      shown: 'off',
      parse: parsers.flag
    }
  ]
}

/** For `--help`. */
export const TUNNEL_HELP = `\
Behind a named tunnel of Cloudflare (docs/relay.md):
  HEDGEROW_TUNNEL=named HEDGEROW_URL=https://mesh.example.org HEDGEROW_TUNNEL_PORT=8090 HEDGEROW_TUNNEL_TOKEN=eyJ...
                    the token has no option of its own: arguments are for every user of a machine to read`
