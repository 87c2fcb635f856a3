import { MeshError } from '../errors/index.ts'

const PREFIX = '/service/'

export interface ServiceTarget {
  /** name or alias */
  service: string
  /** path and query below the service */
  path: string
}

/** Service, path and query of a URL below `/service/`. @throws {MeshError} Malformed */
export function targetOf(url: string): ServiceTarget {
  // Routers decode before they look, so `/%73ervice/` may come here too.
  if (!url.startsWith(PREFIX)) throw new MeshError('Malformed', `write ${PREFIX} in the path as it is`)
  const rest = url.slice(PREFIX.length)
  const end = rest.search(/[/?]/)
  const encoded = end === -1 ? rest : rest.slice(0, end)
  const below = end === -1 ? '' : rest.slice(end)
  let service: string
  try {
    service = decodeURIComponent(encoded)
  } catch {
    throw new MeshError('Malformed', 'the service name in the path is not valid percent-encoding')
  }
  return { service, path: below.startsWith('/') ? below : `/${below}` }
}
