import { posix } from 'node:path'
import { RESERVED_IN_CONTAINERS, RESERVED_VARIABLES } from './constants.ts'
import type { ManifestDocument } from './schema.ts'
import type { FieldPath } from './source.ts'

export interface Finding {
  path: FieldPath
  message: string
}

/** What a schema can't say: how fields go together. */
export function checkDocument(document: ManifestDocument): Finding[] {
  return [
    ...checkNames(document),
    ...checkProtocol(document),
    ...checkOperations(document),
    ...checkNeeds(document),
    ...checkEnv(document),
    ...checkContainer(document)
  ]
}

function* checkNames({ name, aliases = [] }: ManifestDocument): Iterable<Finding> {
  const i = aliases.indexOf(name)
  if (i !== -1) yield { path: ['aliases', i], message: `is the service's own name, ${name}` }
}

/** What belongs to HTTP, and what to TCP. */
function* checkProtocol(document: ManifestDocument): Iterable<Finding> {
  const { protocol, backend, operations, timeouts, health } = document
  if (protocol !== 'tcp') {
    if (operations == null) {
      yield { path: ['operations'], message: 'is missing; a service that speaks HTTP lists what peers can reach' }
    }
    if (backend.tcp != null) {
      yield { path: ['backend', 'tcp'], message: 'speaks TCP; the manifest must say so, with protocol: tcp' }
    }
    if (timeouts?.idle_s != null) {
      yield { path: ['timeouts', 'idle_s'], message: 'is for services with protocol: tcp' }
    }
    return
  }
  const message = 'is for services that speak HTTP, and this one has protocol: tcp'
  if (backend.url != null) yield { path: ['backend', 'url'], message: `${message}; tcp: host:port names its server` }
  for (const field of ['operations', 'body_limit_mb', 'resources', 'state'] as const) {
    if (document[field] != null) yield { path: [field], message }
  }
  if (document.admission?.queue != null) yield { path: ['admission', 'queue'], message }
  if (health?.path != null) yield { path: ['health', 'path'], message }
  for (const field of ['first_byte_s', 'between_chunks_s'] as const) {
    if (timeouts?.[field] != null) yield { path: ['timeouts', field], message }
  }
}

function* checkOperations({ operations = [] }: ManifestDocument): Iterable<Finding> {
  const seen = new Map<string, number>()
  let main: number | undefined
  for (const [i, { method, path, main: isMain }] of operations.entries()) {
    if (path.endsWith('*') && !path.endsWith('/*')) {
      yield { path: ['operations', i, 'path'], message: `must end in /* to stand for any rest, but is "${path}"` }
    }
    // Parameters of another name match the same requests.
    const key = `${method} ${path.replace(/\{[^}]*\}/g, '{}')}`
    const twin = seen.get(key)
    if (twin == null) seen.set(key, i)
    else yield { path: ['operations', i], message: `${method} ${path} is declared already, as operations[${twin}]` }
    if (isMain !== true) continue
    if (main == null) main = i
    else yield { path: ['operations', i, 'main'], message: `only one operation can be main; operations[${main}] is` }
    if (/[{*]/.test(path)) {
      yield { path: ['operations', i, 'main'], message: `needs a path without {} and *, but it is "${path}"` }
    }
  }
}

function* checkNeeds({ needs }: ManifestDocument): Iterable<Finding> {
  if (needs?.gpu === false && (needs.gpu_memory_mb ?? 0) > 0) {
    yield { path: ['needs', 'gpu_memory_mb'], message: 'asks for memory of a GPU, but gpu is false' }
  }
}

function* checkEnv({ backend }: ManifestDocument): Iterable<Finding> {
  for (const name of Object.keys(backend.process?.env ?? {})) {
    if (RESERVED_VARIABLES.test(name)) {
      yield { path: ['backend', 'process', 'env', name], message: 'is set by the daemon; choose another name' }
    }
  }
}

/** Where engines and others of the machine listen, and the folders above. */
function holdsSockets(path: string): boolean {
  const plain = posix.normalize(`${path}/`)
  return plain === '/' || plain === '/var/' || /^\/(var\/)?run\//.test(plain) || /\.sock\/$/.test(plain)
}

function* checkContainer({ backend, needs, state }: ManifestDocument): Iterable<Finding> {
  const { container } = backend
  if (container == null) return
  for (const name of Object.keys(container.env ?? {})) {
    if (RESERVED_IN_CONTAINERS.test(name)) {
      yield { path: ['backend', 'container', 'env', name], message: 'is set by the daemon; choose another name' }
    }
  }
  const targets = new Map<string, number>()
  for (const [i, text] of (container.volumes ?? []).entries()) {
    const path = ['backend', 'container', 'volumes', i]
    const [source = '', target = '', mode] = text.split(':')
    if (source.startsWith('/') && mode !== 'ro') {
      yield { path, message: `a folder of the host can only be read: write ${source}:${target}:ro` }
    }
    if (source.startsWith('/') && holdsSockets(source)) {
      yield {
        path,
        message: `${source} holds sockets such as the engine's own, which read-only doesn't keep from being used`
      }
    }
    const twin = targets.get(target)
    if (twin == null) targets.set(target, i)
    else yield { path, message: `${target} is taken by volumes[${twin}]` }
  }
  if (needs?.gpu === false && container.gpu != null && container.gpu !== 'none' && container.gpu !== 'auto') {
    yield { path: ['backend', 'container', 'gpu'], message: 'asks for a GPU, but needs.gpu is false' }
  }
  if (state != null) {
    yield {
      path: ['state'],
      message: 'is a folder for a process; what a container keeps is in backend.container.volumes'
    }
  }
}
