/** Statements as a mesh would make them, with what a test cares about put in. */
import type { Advert } from '../../src/advert/index.ts'
import type { Operation, ServiceContract } from '../../src/contract/index.ts'
import type { LoadReport } from '../../src/load/index.ts'

export function operation(fields: Partial<Operation> = {}): Operation {
  return {
    method: 'POST',
    path: '/extract',
    main: true,
    idempotent: true,
    internal: false,
    firstByteTimeout: 30_000,
    chunkTimeout: 15_000,
    bodyLimit: 1024 * 1024,
    ...fields
  }
}

export function contract(fields: Partial<ServiceContract> = {}): ServiceContract {
  return {
    name: 'ner',
    version: '1.0.0',
    title: 'Finds names',
    aliases: [],
    protocol: 'http',
    tier: 'cpu',
    replicas: 2,
    concurrency: 4,
    operations: [operation()],
    ...fields
  }
}

export interface AdvertFields extends Partial<Omit<Advert, 'services'>> {
  services?: Array<ServiceContract | { contract: ServiceContract; resources: string[] }>
}

export function advert({ services = [contract()], ...fields }: AdvertFields = {}): Advert {
  return {
    peerId: 'a',
    sequence: 1n,
    role: 'worker',
    name: 'attic',
    version: '0.1.0',
    addrs: [],
    capabilities: { cores: 4, memory: 8192, disk: 100_000, gpus: [], arch: 'x64', platform: 'linux' },
    eligible: [],
    ...fields,
    services: services.map(service => ('contract' in service ? service : { contract: service, resources: [] }))
  }
}

export function load(fields: Partial<LoadReport> = {}): LoadReport {
  return {
    peerId: 'a',
    sequence: 1n,
    service: 'ner',
    inFlight: 0,
    queued: 0,
    concurrency: 4,
    latency: 0,
    errorRate: 0,
    interval: 2000,
    ...fields
  }
}
