import { InspectorError } from '../errors.ts'
import { DaemonSource } from './daemon.ts'
import type { MeshSource } from './index.ts'
import { findLocal } from './local.ts'

export interface SourceOptions {
  /** a daemon or relay to ask */
  daemon?: string
  /** an API key of that daemon */
  key?: string
  /** relays to join through: URLs or multiaddrs, comma-separated */
  relay?: string
  /** which mesh a relay is of that is named by its multiaddr */
  mesh?: string
  /** joins a closed mesh as what this says: a membership file, or its text */
  credential?: string
  /** joins a closed mesh; the relays may be left out, since it names some */
  invite?: string
}

export interface SourceContext {
  env: Record<string, string | undefined>
  signal: AbortSignal
}

/** @throws {InspectorError} Usage or Unreachable */
export async function openSource(options: SourceOptions, { env, signal }: SourceContext): Promise<MeshSource> {
  if ((options.relay != null || options.invite != null) && options.daemon != null)
    throw new InspectorError('Usage', '--relay joins the mesh, --daemon asks somebody who is in it: name one of them')
  if (options.relay != null || options.invite != null) {
    // A node takes a second to load, and those who ask a daemon need none.
    const [{ PeerSource }, { clientInvite }] = await Promise.all([import('./peer.ts'), import('./member.ts')])
    const { daemon: _daemon, ...init } = options
    const invite = init.invite ?? (await clientInvite(env.HEDGEROW_INVITE))
    const credential = init.credential ?? (env.HEDGEROW_CREDENTIAL || undefined)
    return PeerSource.open(
      { ...init, ...(invite == null ? {} : { invite }), ...(credential == null ? {} : { credential }) },
      signal
    )
  }
  const key = options.key ?? (env.HEDGEROW_KEY || undefined)
  if (options.daemon != null) return DaemonSource.open(daemonUrl('--daemon', options.daemon), signal, key)
  if (env.HEDGEROW_DAEMON) return DaemonSource.open(daemonUrl('HEDGEROW_DAEMON', env.HEDGEROW_DAEMON), signal, key)
  return findLocal(env, signal)
}

function daemonUrl(setting: string, value: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(value) ? value : `http://${value}`)
  if (url == null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw new InspectorError('Usage', `${setting}: ${value} is not a URL such as http://127.0.0.1:8000`)
  return url.href
}
