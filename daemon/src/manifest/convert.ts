import { isIPv6 } from 'node:net'
import type { Operation, ServiceContract } from '@hedgerow/protocols/contract'
import type { Finding } from './check.ts'
import { DEFAULTS } from './constants.ts'
import { toContainer } from './container.ts'
import type { BackendSpec, ServiceManifest, Variables } from './index.ts'
import type { ManifestDocument } from './schema.ts'
import type { FieldPath } from './source.ts'
import { substitute } from './substitute.ts'

const SECOND = 1000
const MEBIBYTE = 1024 * 1024

/** Fills in every default, turns seconds into milliseconds and MiB of bodies into bytes. */
export function toManifest(
  document: ManifestDocument,
  { file, folder, env }: { file: string; folder: string; env: Variables }
): ServiceManifest | Finding[] {
  const findings: Finding[] = []
  const backend = toBackend(document, env, findings)
  if (backend == null || findings.length > 0) return findings
  const { needs = {}, health = {}, resources, state } = document
  return {
    file,
    folder,
    contract: toContract(document),
    everywhere: replicasOf(document) == null,
    needs: {
      cores: needs.cores ?? DEFAULTS.needs.cores,
      memory: needs.memory_mb ?? DEFAULTS.needs.memory_mb,
      disk: needs.disk_mb ?? DEFAULTS.needs.disk_mb,
      gpu: needs.gpu ?? (needs.gpu_memory_mb ?? 0) > 0,
      gpuMemory: needs.gpu_memory_mb ?? 0
    },
    backend,
    health: {
      path: health.path ?? DEFAULTS.health.path,
      interval: (health.interval_s ?? DEFAULTS.health.interval_s) * SECOND,
      timeout: (health.timeout_s ?? DEFAULTS.health.timeout_s) * SECOND,
      start: (health.start_s ?? DEFAULTS.health.start_s) * SECOND
    },
    admission: {
      concurrency: concurrencyOf(document),
      // A connection lasts for as long as its client likes: nobody waits for its end.
      queue: document.protocol === 'tcp' ? 0 : (document.admission?.queue ?? DEFAULTS.admission.queue)
    },
    idleTimeout: (document.timeouts?.idle_s ?? DEFAULTS.timeouts.idle_s) * SECOND,
    ...(resources == null
      ? {}
      : {
          resources: {
            path: resources.path,
            interval: (resources.interval_s ?? DEFAULTS.resources.interval_s) * SECOND
          }
        }),
    ...(state == null ? {} : { state: { key: state.keyed } })
  }
}

function toContract(document: ManifestDocument): ServiceContract {
  const { name, version, title, aliases, protocol, tier, state, data_class, operations } = document
  return {
    name,
    version,
    title,
    aliases: aliases ?? [],
    protocol: protocol ?? DEFAULTS.protocol,
    tier: tier ?? DEFAULTS.tier,
    replicas: replicasOf(document) ?? 0,
    concurrency: concurrencyOf(document),
    ...(state == null ? {} : { stateKey: state.keyed }),
    ...(data_class == null ? {} : { dataClass: data_class }),
    operations: (operations ?? []).map(operation => toOperation(operation, document))
  }
}

function concurrencyOf({ protocol, admission }: ManifestDocument): number {
  return admission?.concurrency ?? (protocol === 'tcp' ? DEFAULTS.connections : DEFAULTS.admission.concurrency)
}

/** Undefined when every worker that can run it should, as with a server that its owner runs anyway. */
function replicasOf({ replicas, backend }: ManifestDocument): number | undefined {
  if (replicas === 'everywhere' || (replicas == null && (backend.url ?? backend.tcp) != null)) return undefined
  return replicas ?? DEFAULTS.replicas
}

function toOperation(
  operation: NonNullable<ManifestDocument['operations']>[number],
  { timeouts, body_limit_mb }: ManifestDocument
): Operation {
  const firstByte = operation.first_byte_s ?? timeouts?.first_byte_s ?? DEFAULTS.timeouts.first_byte_s
  const chunks = operation.between_chunks_s ?? timeouts?.between_chunks_s ?? DEFAULTS.timeouts.between_chunks_s
  const bodyLimit = operation.body_limit_mb ?? body_limit_mb ?? DEFAULTS.body_limit_mb
  return {
    method: operation.method,
    path: operation.path,
    main: operation.main ?? false,
    idempotent: operation.idempotent ?? false,
    internal: operation.internal ?? false,
    firstByteTimeout: firstByte * SECOND,
    chunkTimeout: chunks * SECOND,
    bodyLimit: Math.floor(bodyLimit * MEBIBYTE)
  }
}

function toBackend(document: ManifestDocument, env: Variables, findings: Finding[]): BackendSpec | undefined {
  const { backend } = document
  const replace = (text: string, path: FieldPath): string => {
    const result = substitute(text, env)
    if ('text' in result) return result.text
    findings.push({ path, message: result.error })
    return ''
  }
  if (backend.process != null) {
    const { command, env: given = {} } = backend.process
    const entries = Object.entries(given).map(([name, value]): [string, string] => [
      name,
      replace(String(value), ['backend', 'process', 'env', name])
    ])
    return { type: 'process', command, env: Object.fromEntries(entries) }
  }
  if (backend.container != null) return toContainer(backend.container, document, replace)
  const running = (
    field: 'url' | 'tcp',
    toBackend: (text: string) => BackendSpec | string
  ): BackendSpec | undefined => {
    const before = findings.length
    const text = replace(backend[field] ?? '', ['backend', field])
    if (findings.length > before) return undefined
    const spec = toBackend(text)
    if (typeof spec !== 'string') return spec
    findings.push({ path: ['backend', field], message: spec })
    return undefined
  }
  if (backend.url != null) return running('url', toUrlBackend)
  return backend.tcp == null ? undefined : running('tcp', toTcpBackend)
}

/** A host and a port; IPv6 addresses in brackets, as in URLs. */
const HOST_AND_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)):([0-9]{1,5})$/

/** @returns what is wrong with it, or the backend */
function toTcpBackend(text: string): BackendSpec | string {
  const [, address, name, digits] = HOST_AND_PORT.exec(text) ?? []
  const host = address ?? name
  const port = Number(digits)
  if (host == null || port === 0 || port > 65_535 || (address != null && !isIPv6(address))) {
    return `must be a host and a port such as 127.0.0.1:5432 or [::1]:5432, but is "${text}"`
  }
  return { type: 'tcp', host, port }
}

/** @returns what is wrong with it, or the backend */
function toUrlBackend(text: string): BackendSpec | string {
  const url = URL.parse(text)
  if (url == null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return `must be an http:// or https:// URL such as http://127.0.0.1:11434, but is "${text}"`
  }
  // The text itself isn't repeated here: it holds a password.
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password'
  if (url.search !== '' || url.hash !== '') return `must end after its path, but is "${text}"`
  return { type: 'url', origin: url.origin, prefix: url.pathname.replace(/\/+$/, '') }
}
