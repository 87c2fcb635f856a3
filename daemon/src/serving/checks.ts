/** What is checked of whoever asks a worker for anything, by a request or by a connection. */
import type { ServiceContract } from '@hedgerow/protocols/contract'
import { maySee } from '@hedgerow/protocols/data-class'
import { MeshError } from '@hedgerow/protocols/errors'
import { type Credential, covers } from '@hedgerow/protocols/membership'
import type { Tracing } from '@hedgerow/protocols/tracing'
import type { ServiceInstance } from '../runtime/index.ts'
import type { Served } from './account.ts'
import type { ContextTable } from './contexts.ts'
import type { Vouching } from './vouching.ts'

/** A service that runs here. */
export interface LocalService extends Pick<ServiceInstance, 'invoke' | 'connect'> {
  readonly contract: ServiceContract
}

export interface ServingComponents {
  services: { get(name: string): LocalService | undefined }
  contexts: ContextTable
  /** what this peer's own credential says; undefined while it has none */
  rights(): Rights | undefined
  /** what a peer that sent a request may ask for; undefined when that is all */
  callerRights(peerId: string): Pick<Rights, 'services'> | undefined
  /** whether a peer has not asked too often. @default however often */
  mayAsk?(peerId: string): boolean
  /** which classes of data a peer that sent a request may see */
  callerClasses(peerId: string): readonly string[]
  draining(): boolean
  /** whether a peer may say for whom it asks */
  vouches: Vouching
  /** whether a peer runs a service, or is about to: its instances catch up with each other before they are offered */
  mayActFor(peer: string, service: string): boolean
  onError?(err: unknown): void
  /** called once for every request, when its last byte is out or it is clear that there will be none */
  onServed?(served: Served): void
  /** the same for every connection of TCP, when it has ended or was refused */
  onConnection?(served: Served): void
  /** @default nothing is recorded */
  tracing?: Tracing | undefined
}

export type Rights = Pick<Credential, 'services' | 'classes'>

/** The service that a peer asks for, if it runs here and the peer may use it. @throws {MeshError} */
export function serviceFor(
  { services, callerRights, draining }: Pick<ServingComponents, 'services' | 'callerRights' | 'draining'>,
  peer: string,
  name: string
): LocalService {
  if (draining()) throw new MeshError('Draining', 'this worker is stopping; another one will answer', { service: name })
  const asked = callerRights(peer)
  if (asked != null && !covers(asked.services, name))
    throw new MeshError('Forbidden', `the credential of ${peer} does not name ${name}`, { service: name })
  const service = services.get(name)
  if (service == null) throw new MeshError('NotServed', `this worker does not offer ${name} now`, { service: name })
  return service
}

export function tooOften(peer: string): MeshError {
  return new MeshError('RateLimited', `${peer} asks more often than a client may`, { retry_after: 1, retry_safe: true })
}

/** The last look before the data is here: whoever sent it may have seen an older credential. */
export function checkClasses(
  allowed: readonly string[],
  needed: Array<string | undefined>,
  service: string,
  who = 'this worker'
): void {
  const forbidden = needed.find(one => one != null && !maySee(allowed, one))
  if (forbidden == null) return
  throw new MeshError('ClassNotAllowed', `${who} may not see ${forbidden} data`, {
    service,
    data_class: forbidden
  })
}

/**
 * For whom a peer asks, as the backend hears it. It proves who it is itself, and no more: what it says of its own callers
 * is believed of relays and workers, and that a service calls on its own account only of a peer that has that service.
 */
export function callerOf(
  peer: string,
  said: string | undefined,
  { vouches, mayActFor }: Pick<ServingComponents, 'vouches' | 'mayActFor'>
): string {
  if (said == null || !vouches(peer, said)) return `peer/${peer}`
  if (!said.startsWith(ON_ITS_ACCOUNT)) return said
  return mayActFor(peer, said.slice(ON_ITS_ACCOUNT.length)) ? said : `peer/${peer}`
}

const ON_ITS_ACCOUNT = 'service/'
