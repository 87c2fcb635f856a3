import { chmod, mkdir } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { ProcessSpec, ServiceManifest } from '../manifest/index.ts'
import type { BackendEnvironment } from './index.ts'

/** All of the daemon's own environment that a backend gets: what programs need to run, and nothing that is secret. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ', 'LOG_LEVEL', 'TMPDIR', 'NODE_COMPILE_CACHE']
/** Windows starts nothing without these. */
const PASSED_ON_WINDOWS = ['SystemRoot', 'SystemDrive', 'TEMP', 'TMP', 'USERPROFILE', 'PATHEXT', 'COMSPEC', 'APPDATA']

export interface ProcessEnvironmentInit {
  spec: ProcessSpec
  service: string
  port: number
  host: string
  environment: BackendEnvironment
  /** the service's own folder, if it keeps state */
  stateDir: string | undefined
  /** the daemon's own environment */
  own: NodeJS.ProcessEnv
}

export function processEnvironment(init: ProcessEnvironmentInit): Record<string, string> {
  const { spec, service, port, host, environment, stateDir, own } = init
  const passedOn: Record<string, string> = {}
  for (const name of process.platform === 'win32' ? [...PASSED_ON, ...PASSED_ON_WINDOWS] : PASSED_ON) {
    const value = own[name]
    if (value != null) passedOn[name] = value
  }
  // `node` is the daemon's own, for what the backend starts in its turn, too.
  passedOn.PATH = [dirname(process.execPath), passedOn.PATH].filter(Boolean).join(delimiter)
  return {
    ...passedOn,
    ...spec.env,
    PORT: String(port),
    HOST: host,
    HEDGEROW_PARENT: 'stdin',
    HEDGEROW_MESH_URL: environment.meshUrl,
    HEDGEROW_SERVICE_CONTEXT: environment.serviceContext(service),
    HEDGEROW_PEER_ID: environment.peerId,
    ...(stateDir == null ? {} : { HEDGEROW_STATE_DIR: stateDir })
  }
}

/** A service's private folder, made if it isn't there; nobody else may look into it. */
export async function stateFolder(
  { contract, state }: Pick<ServiceManifest, 'contract' | 'state'>,
  { stateDir }: Pick<BackendEnvironment, 'stateDir'>
): Promise<string | undefined> {
  if (state == null) return undefined
  const folder = join(stateDir, contract.name)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // It may have been there before, with other rights.
  await chmod(folder, 0o700)
  return folder
}
