import type { ServiceContract } from '@hedgerow/protocols/contract'
import type { ServiceHost } from './index.ts'

/** The host of a peer that runs none. @param contracts services that ship with it, so that it knows their names */
export function noServices(contracts: ServiceContract[] = []): ServiceHost {
  return {
    get: () => undefined,
    offers: () => [],
    eligible: () => [],
    assigned: () => [],
    loads: () => [],
    report: () => ({ instances: [], placement: [] }),
    contracts: () => contracts,
    settled: () => true,
    addListener: () => () => {},
    start: async () => {},
    drain: async () => {},
    stop: async () => {}
  }
}
