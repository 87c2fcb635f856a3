/**
 * Service manifests: what a `hedgerow.service.yaml` says, checked, with every default filled in. One file that is wrong
 * stops nothing but itself, and says all that is wrong with it at once: file, line, field, and what is expected there.
 *
 * @example
 * ```ts
 * const { manifests, errors } = await loadManifests(['/opt/hedgerow/services'], { env: process.env })
 * for (const error of errors) log.error(formatManifestError(error))
 * for (const { contract, backend } of manifests) console.log(contract.name, backend.type)
 * ```
 */
import type { ServiceContract } from '@hedgerow/protocols/contract'

export { loadManifests } from './load.ts'
export { parseManifest } from './parse.ts'
export { manifestSchema } from './schema.ts'

/** The file's name beside a service; in a folder of manifests any `*.yaml` will do. */
export const MANIFEST_FILE = 'hedgerow.service.yaml'

export interface ServiceManifest {
  /** where it was read from */
  file: string
  /** the file's folder, in which a process runs */
  folder: string
  contract: ServiceContract
  /** every worker that can run it should */
  everywhere: boolean
  needs: Needs
  backend: BackendSpec
  health: HealthSpec
  admission: { concurrency: number; queue: number }
  /** milliseconds that a TCP connection may carry nothing; of no meaning to a service that speaks HTTP */
  idleTimeout: number
  /** where the backend says what it has loaded or holds */
  resources?: { path: string; interval: number }
  /** it keeps data, partitioned by this query parameter, and gets a private folder */
  state?: { key: string }
}

/** What a machine must have to run it. Sizes in MiB. */
export interface Needs {
  /** may be a fraction */
  cores: number
  memory: number
  disk: number
  gpu: boolean
  gpuMemory: number
}

/** The server behind a service. */
export type BackendSpec = ProcessSpec | UrlSpec | TcpSpec | ContainerSpec

/** A process that the daemon starts. */
export interface ProcessSpec {
  type: 'process'
  /** program and arguments; `node` is the daemon's own */
  command: string[]
  /** added to the few variables that are passed on */
  env: Record<string, string>
}

/** A server that already runs. */
export interface UrlSpec {
  type: 'url'
  /** as in `http://127.0.0.1:11434` */
  origin: string
  /** put before every path; empty or `/some/where` */
  prefix: string
}

/** A server of raw TCP that already runs. */
export interface TcpSpec {
  type: 'tcp'
  /** a name, or an IP address without brackets */
  host: string
  port: number
}

/** A container that the daemon has an engine run. Sizes in MiB. */
export interface ContainerSpec {
  type: 'container'
  image: string
  /** that its server listens on, in the container */
  port: number
  /** of 127.0.0.1; any free one where it is left out */
  hostPort?: number
  entrypoint?: string[]
  command?: string[]
  env: Record<string, string>
  volumes: VolumeSpec[]
  /** folders in memory */
  tmpfs: string[]
  /** how many GPUs; `auto` = all that the engine can give, if any */
  gpu: 'all' | 'auto' | 'none' | number
  /** 0 = no limit */
  memory: number
  /** 0 = no limit */
  cores: number
  /** of `/dev/shm`; as the engine has it where it is left out */
  shm?: number
  pids: number
  user?: string
  readOnly: boolean
  capAdd: string[]
  pull: 'missing' | 'always' | 'never'
  /** milliseconds from SIGTERM to SIGKILL */
  stop: number
}

/** A volume of the service's own, which is kept, or a folder of the host to read. */
export type VolumeSpec = { name: string; target: string; readOnly: boolean } | { hostPath: string; target: string }

/** Times in milliseconds. */
export interface HealthSpec {
  /** asked of an HTTP server; of any other it is enough that it takes a connection */
  path: string
  interval: number
  timeout: number
  /** how long the first healthy answer may take */
  start: number
}

export interface ManifestError {
  file: string
  /** from 1; left out where the whole file is meant */
  line?: number
  /** as in `operations[2].path`; left out where the whole file is meant */
  field?: string
  /** what is expected, and what was found */
  message: string
}

/** Variables that `${NAME}` may stand for. */
export type Variables = Readonly<Record<string, string | undefined>>

export interface LoadOptions {
  /** @default the process's environment */
  env?: Variables
}

export interface LoadResult {
  /** in the order of the folders, by file name within one */
  manifests: ServiceManifest[]
  errors: ManifestError[]
}

/** `file:line: field: message`, as compilers have it, so that editors and terminals can jump there. */
export function formatManifestError({ file, line, field, message }: ManifestError): string {
  const place = line == null ? file : `${file}:${line}`
  return field == null ? `${place}: ${message}` : `${place}: ${field}: ${message}`
}
