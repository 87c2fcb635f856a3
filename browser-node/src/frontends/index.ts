/**
 * For frontends that know services by name and want JSON back: one function a service, retries with exponential
 * back-off, over the mesh or over plain HTTP where a page is not to be a peer.
 *
 * @example
 * ```ts
 * import { serviceClient } from '@hedgerow/browser-node/frontends'
 *
 * // over the mesh
 * const { convertNotes } = serviceClient({ mesh: await joinMesh({ relays }) })
 * // over plain HTTP, by whichever entry point answers
 * const { sendServiceRequest } = serviceClient({ entryPoints: ['https://relay.example.org/entry-points'] })
 *
 * const { letter } = await convertNotes({ notes: 'Debts: Barclaycard £1,240.50 …' })
 * const { entities } = await sendServiceRequest('ner', { text }, { timeout: 20_000, retries: 3 })
 * ```
 */
import type { Problem } from '@hedgerow/protocols/errors'
import type { Mesh } from '../index.ts'
import { createServiceClient } from './client.ts'

export { EntryPoints, type EntryPointsInit } from './entry-points.ts'
export { ServiceRequestError } from './errors.ts'

export type ServiceClientInit =
  | { mesh: Pick<Mesh, 'fetch'> }
  /** web addresses of lists of entry points (`GET /entry-points`); any one of them is enough */
  | { entryPoints: string[] }

export interface SendOptions {
  /** milliseconds for all attempts together. @default 60 000 */
  timeout?: number
  /** attempts after the first one. @default 2 */
  retries?: number
  signal?: AbortSignal
  /** path below the service. @default its main operation */
  path?: string
}

/** What goes to a service: JSON, a form, or a file as it is. */
export type ServiceData =
  | Blob
  | FormData
  | URLSearchParams
  | ArrayBuffer
  | ArrayBufferView<ArrayBuffer>
  | string
  | object

/** A service's JSON; a `Blob` where it answers something else. */
// biome-ignore lint/suspicious/noExplicitAny: what a service answers is between it and the frontend
export type ServiceAnswer = any

export interface ServiceClient {
  /**
   * Sends one request and reads its answer.
   *
   * @throws {ServiceRequestError} when the service refused it, or nothing answered in time
   */
  sendServiceRequest(service: string, data: ServiceData, options?: SendOptions): Promise<ServiceAnswer>
  extractEntities(data: { text: string }, options?: SendOptions): Promise<ServiceAnswer>
  processDocument(file: Blob | FormData, options?: SendOptions): Promise<ServiceAnswer>
  recognizeText(image: Blob | FormData | { image: string }, options?: SendOptions): Promise<ServiceAnswer>
  addDocument(
    data: { text: string; id?: string; metadata?: object; collection?: string } | Blob | FormData,
    options?: SendOptions
  ): Promise<ServiceAnswer>
  queryDocuments(
    data: { query: string; top_k?: number; collection?: string },
    options?: SendOptions
  ): Promise<ServiceAnswer>
  convertNotes(
    data: { notes?: string; text?: string; client?: object; adviser?: object },
    options?: SendOptions
  ): Promise<ServiceAnswer>
  generateText(
    data: { prompt: string } | { messages: object[]; model?: string },
    options?: SendOptions
  ): Promise<ServiceAnswer>
}

/** Problem details as a service or the mesh gives them. */
export type ServiceProblem = Partial<Omit<Problem, 'code'>> & { code?: string }

export function serviceClient(init: ServiceClientInit): ServiceClient {
  return createServiceClient(init)
}
