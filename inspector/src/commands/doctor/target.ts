import { InspectorError, ProblemError } from '../../errors.ts'
import type { DaemonSource } from '../../source/daemon.ts'
import type { PeerInfo } from '../../source/index.ts'

/**
 * The relay to examine: the one that is named, else the daemon's own first one, else one that the daemon of this machine
 * knows.
 *
 * @throws {InspectorError} Usage, or Unreachable where none is known
 */
export async function relayUrl(
  named: string | undefined,
  fromEnv: string | undefined,
  local: DaemonSource | undefined,
  signal: AbortSignal
): Promise<URL> {
  if (named != null) return parse('url', named)
  const [first = ''] = (fromEnv ?? '').split(',').map(text => text.trim())
  if (/^https?:/i.test(first)) return parse('HEDGEROW_RELAY', first)
  const relays =
    local == null
      ? []
      : await local.names(signal).then(
          peers => peers.filter(isRelay),
          err => {
            if (!(err instanceof ProblemError) || (err.status !== 401 && err.status !== 403)) return []
            throw new InspectorError('Unreachable', `${local.via.name} names relays only to who has a key`, [
              'name one with --key or HEDGEROW_KEY, or a relay: hedgerow doctor https://mesh.example.org'
            ])
          }
        )
  const own = relays.find(({ peer_id }) => peer_id === local?.via.peer_id)
  if (own != null && local != null) return new URL(local.via.url)
  for (const relay of relays) {
    const url = urlOf(relay)
    if (url != null) return url
  }
  throw new InspectorError('Unreachable', 'no relay is known on this machine', [
    'name one: hedgerow doctor https://mesh.example.org'
  ])
}

function parse(setting: string, value: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(value) ? value : `https://${value}`)
  if (url == null || !/^https?:$/.test(url.protocol))
    throw new InspectorError(
      'Usage',
      `${setting}: ${value} is not the URL of a relay, such as https://mesh.example.org`
    )
  return url
}

const isRelay = ({ role }: { role: string }): boolean => role === 'relay'

/** Where a relay answers over HTTP: its public URL, else the port that carries its WebSocket. */
export function urlOf({ url, addrs }: Pick<PeerInfo, 'url' | 'addrs'>): URL | undefined {
  if (url != null) return URL.parse(url) ?? undefined
  for (const addr of addrs) {
    const [, kind, host, port, secure] =
      /^\/(ip4|ip6|dns4|dns6|dns)\/([^/]+)\/tcp\/(\d+)(\/tls)?\/ws(\/p2p\/\w+)?$/.exec(addr) ?? []
    if (host == null) continue
    return URL.parse(`http${secure == null ? '' : 's'}://${kind === 'ip6' ? `[${host}]` : host}:${port}`) ?? undefined
  }
  return undefined
}
