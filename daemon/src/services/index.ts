/**
 * The services that run on this worker: which it could run, which it should (placement and its owner decide), and each
 * one's instance. It starts what is missing and drains what isn't wanted any more.
 *
 * @example
 * ```ts
 * const host = createServiceHost({ manifests, capabilities, kind: 'auto', pinned: [], forbidden: [], dataDir, log })
 * await host.start(environment)
 * host.offers() // what is healthy now
 * ```
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export { catalogueFiles, llmServerUrl } from './catalogue.ts'
export { createServiceHost, type ServiceHostInit } from './host.ts'
export { namedServices } from './named.ts'

/** Where the services lie that ship with the daemon: beside its package, in a checkout as in an image. */
export const SHIPPED_SERVICES: string = (() => {
  for (const place of ['../../../services', '../../../../services']) {
    const folder = fileURLToPath(new URL(place, import.meta.url))
    if (existsSync(folder)) return folder
  }
  return fileURLToPath(new URL('../../../services', import.meta.url))
})()

/** Manifests of services that others publish as images; none is loaded by itself. */
export const CATALOGUE: string = join(SHIPPED_SERVICES, 'catalogue')
