import { InspectorError } from '../errors.ts'
import type { MeshSource, Service, Via } from '../source/index.ts'
import { nearMatches } from './near.ts'

export interface ServicesReport {
  via: Via
  services: Array<Omit<Service, 'workers'> & { workers: Array<{ name: string; peer_id: string }> }>
  /** services that nobody offers now */
  gaps: string[]
}

export async function listServices(source: MeshSource, signal: AbortSignal): Promise<ServicesReport> {
  const [services, peers] = await Promise.all([source.services(signal), source.names(signal)])
  const names = new Map(peers.map(({ peer_id, name }) => [peer_id, name]))
  return {
    via: source.via,
    services: services
      .map(service => ({
        ...service,
        workers: service.workers
          .map(peer_id => ({ name: names.get(peer_id) ?? '', peer_id }))
          .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
      }))
      .sort((a, b) => a.name.localeCompare(b.name, 'en')),
    gaps: services.filter(({ found }) => found === 0).map(({ name }) => name)
  }
}

/** What to say of a service that the mesh doesn't know. */
export async function unknownService(source: MeshSource, given: string, signal: AbortSignal): Promise<InspectorError> {
  const services = await source.services(signal)
  const near = nearMatches(
    given,
    services.flatMap(({ name, aliases }) => [name, ...aliases])
  )
  const names = services.map(({ name }) => name).sort()
  return new InspectorError('Failed', `there is no service ${given}`, [
    near.length > 0
      ? `did you mean ${near.join(' or ')}?`
      : names.length === 0
        ? 'no service is known'
        : `there are: ${names.join(', ')}`
  ])
}
