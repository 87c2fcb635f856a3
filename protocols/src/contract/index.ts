/**
 * What a service promises about its HTTP API: which operations exist, which may be repeated, how long they may take. A
 * worker's advert carries it, so that any ingress can dispatch to a service it has never heard of. Of a raw TCP service
 * the contract says only that it is one.
 *
 * @example
 * ```ts
 * const match = matchOperation(contract, 'POST', '/')
 * match?.path // '/extract': the main operation answers at the service's root too
 * match?.operation.idempotent // true
 * ```
 */

import { isAmbiguous } from '../fence/index.ts'

/** The kind of worker that a service belongs on. */
export const TIERS = ['cpu', 'gpu', 'storage', 'edge'] as const
export type Tier = (typeof TIERS)[number]

/** What a service speaks: HTTP, whose operations its contract lists, or bytes that only its clients understand. */
export const PROTOCOLS = ['http', 'tcp'] as const
export type Protocol = (typeof PROTOCOLS)[number]

export interface Operation {
  /** upper case, or `*` for any method */
  method: string
  /** starts with `/`; `{name}` stands for one segment, a trailing `/*` for any rest */
  path: string
  /** also answers at `/` */
  main: boolean
  /** doing it twice is the same as doing it once: may be retried and hedged */
  idempotent: boolean
  /** for other instances of the same service only */
  internal: boolean
  /** milliseconds to the first byte of the answer */
  firstByteTimeout: number
  /** milliseconds between two pieces of the answer */
  chunkTimeout: number
  /** bytes */
  bodyLimit: number
}

export interface ServiceContract {
  name: string
  version: string
  /** one line for people */
  title: string
  aliases: string[]
  protocol: Protocol
  tier: Tier
  /** how many workers should run it, mesh-wide; 0 = no number: those that can, or whose owners pin it */
  replicas: number
  /** requests, or TCP connections, that one worker has at once */
  concurrency: number
  /** the query parameter that partitions the service's state, if it keeps any */
  stateKey?: string
  /** the least class of data that its requests have, whatever they say */
  dataClass?: string
  /** none when it speaks TCP */
  operations: Operation[]
}

export interface OperationMatch {
  operation: Operation
  /** the path as the backend knows it, with the query */
  path: string
}

/**
 * @param path path and query below the service, `/` or `` for its root
 * @returns undefined when the service has no such operation
 */
export function matchOperation(
  contract: Pick<ServiceContract, 'operations'>,
  method: string,
  path: string
): OperationMatch | undefined {
  const mark = path.indexOf('?')
  const pathname = mark === -1 ? path : path.slice(0, mark)
  const query = mark === -1 ? '' : path.slice(mark)
  // A path that a backend could read in another way than we do is nobody's: refuse rather than guess.
  if (isAmbiguous(pathname)) return undefined
  for (const operation of contract.operations) {
    if (operation.method !== '*' && operation.method !== method && !(method === 'HEAD' && operation.method === 'GET'))
      continue
    if (operation.main && (pathname === '/' || pathname === '')) return { operation, path: operation.path + query }
    if (matchesTemplate(operation.path, pathname)) return { operation, path: pathname + query }
  }
  return undefined
}

/** Methods that the contract has for a path; empty when the path isn't known at all. */
export function methodsOf(contract: Pick<ServiceContract, 'operations'>, path: string): string[] {
  const methods = new Set(contract.operations.map(({ method }) => method))
  return [...methods].filter(method => matchOperation(contract, method, path) != null)
}

function matchesTemplate(template: string, pathname: string): boolean {
  if (template === pathname) return true
  const wanted = template.split('/')
  const given = pathname.split('/')
  const open = wanted.at(-1) === '*'
  if (open) wanted.pop()
  if (open ? given.length < wanted.length : given.length !== wanted.length) return false
  return wanted.every(
    (segment, i) => segment === given[i] || (segment.startsWith('{') && segment.endsWith('}') && given[i] !== '')
  )
}
