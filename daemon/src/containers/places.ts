import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where an engine may listen. */
export type EnginePlace = { path: string } | { url: string }

/** A path, `unix:///path`, or the `http://` or `tcp://` URL of an engine or of a proxy before it. */
export function parsePlace(text: string): EnginePlace | undefined {
  if (text.startsWith('/') || text.startsWith('\\\\.\\pipe\\')) return { path: text }
  const url = URL.parse(text)
  if (url == null) return undefined
  if (url.protocol === 'unix:' && url.host === '' && url.pathname.length > 1) return { path: url.pathname }
  if (url.protocol === 'npipe:') return { path: text.slice('npipe://'.length).replaceAll('/', '\\') }
  if (url.protocol !== 'http:' && url.protocol !== 'tcp:') return undefined
  if (url.hostname === '' || url.username !== '' || url.password !== '') return undefined
  return { url: `http://${url.hostname}:${url.port || '2375'}` }
}

/**
 * Where to look, in order.
 *
 * @param setting HEDGEROW_DOCKER_SOCKET, if it is set; `off` = nowhere
 * @returns what DOCKER_HOST says, where it says something that can't be used
 */
export function enginePlaces(
  setting: string | undefined,
  env: Record<string, string | undefined>,
  platform: NodeJS.Platform = process.platform
): EnginePlace[] | { unusable: string } {
  if (setting === 'off') return []
  const named = setting ?? (env.DOCKER_HOST || undefined)
  if (named != null) {
    const place = parsePlace(named)
    return place == null ? { unusable: named } : [place]
  }
  if (platform === 'win32') return [{ path: '\\\\.\\pipe\\docker_engine' }]
  const { XDG_RUNTIME_DIR } = env
  const own = XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'docker.sock'), join(XDG_RUNTIME_DIR, 'podman/podman.sock')] : []
  const desktop = join(env.HOME || homedir(), '.docker/run/docker.sock')
  return ['/var/run/docker.sock', desktop, ...own, '/run/podman/podman.sock'].map(path => ({ path }))
}

export const showPlace = (place: EnginePlace): string => ('path' in place ? place.path : place.url)
