import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode'
import type { ContainerSpec, ServiceManifest } from '../manifest/index.ts'
import { ENGINE_LOG_SIZE, LABELS } from './constants.ts'
import type { EngineInfo, Reach } from './index.ts'
import { isDefaultNetwork } from './reach.ts'

export interface ContainerPlanInit {
  manifest: Pick<ServiceManifest, 'contract'>
  spec: ContainerSpec
  info: EngineInfo
  reach: Reach
  peerId: string
  /** of this life of the daemon */
  run: string
}

export interface ContainerPlan {
  options: ContainerCreateOptions
  /** joined once it is created, before it starts */
  furtherNetworks: readonly string[]
}

const MEBIBYTE = 1024 * 1024

/** Characters of a peer's id that keep apart the daemons of one machine. */
const PEER_PART = 10

/** What an engine is asked for. Pure. No right is given that the manifest doesn't name. */
export function planContainer({ manifest, spec, info, reach, peerId, run }: ContainerPlanInit): ContainerPlan {
  const service = manifest.contract.name
  const name = containerName(service, peerId)
  const labels = { [LABELS.service]: service, [LABELS.peer]: peerId, [LABELS.run]: run }
  const port = `${spec.port}/tcp`
  const [network, ...furtherNetworks] = reach.kind === 'networks' ? reach.names : []
  const env = { PORT: String(spec.port), HOST: '0.0.0.0', ...spec.env, HEDGEROW_PEER_ID: peerId }
  const host: HostConfig = {
    CapDrop: ['ALL'],
    CapAdd: spec.capAdd,
    SecurityOpt: ['no-new-privileges'],
    Privileged: false,
    PidsLimit: spec.pids,
    ReadonlyRootfs: spec.readOnly,
    RestartPolicy: { Name: 'no' },
    LogConfig: { Type: 'json-file', Config: { 'max-size': ENGINE_LOG_SIZE } },
    Mounts: mounts(spec, name, { [LABELS.service]: service, [LABELS.peer]: peerId }),
    ...(spec.tmpfs.length === 0 ? {} : { Tmpfs: Object.fromEntries(spec.tmpfs.map(path => [path, ''])) }),
    ...(spec.cores === 0 ? {} : { NanoCpus: Math.round(spec.cores * 1e9) }),
    ...(spec.memory === 0 ? {} : memoryLimits(spec.memory, info)),
    ...(spec.shm == null ? {} : { ShmSize: Math.round(spec.shm * MEBIBYTE) }),
    ...gpus(spec.gpu, info),
    ...(network == null
      ? {
          PortBindings: {
            [port]: [{ HostIp: '127.0.0.1', HostPort: spec.hostPort == null ? '' : String(spec.hostPort) }]
          }
        }
      : { NetworkMode: network })
  }
  return {
    options: {
      name,
      Image: imageReference(spec.image),
      ...(spec.entrypoint == null ? {} : { Entrypoint: spec.entrypoint }),
      ...(spec.command == null ? {} : { Cmd: spec.command }),
      ...(spec.user == null ? {} : { User: spec.user }),
      Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
      Labels: labels,
      ExposedPorts: { [port]: {} },
      HostConfig: host,
      ...(network == null || isDefaultNetwork(network)
        ? {}
        : { NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [service] } } } })
    },
    furtherNetworks
  }
}

/** Of a peer's container for a service. */
export function containerName(service: string, peerId: string): string {
  return `hedgerow-${service}-${peerId.slice(-PEER_PART).toLowerCase()}`
}

/** With a tag: without one an engine pulls every tag there is. */
export function imageReference(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1)
  return last.includes(':') || image.includes('@') ? image : `${image}:latest`
}

function mounts({ volumes }: ContainerSpec, container: string, labels: Record<string, string>): MountSettings[] {
  return volumes.map((volume): MountSettings => {
    if ('hostPath' in volume) return { Type: 'bind', Source: volume.hostPath, Target: volume.target, ReadOnly: true }
    const { name, target, readOnly } = volume
    return {
      Type: 'volume',
      Source: `${container}-${name}`,
      Target: target,
      ReadOnly: readOnly,
      VolumeOptions: { NoCopy: false, Labels: labels, DriverConfig: { Name: 'local', Options: {} } }
    }
  })
}

/** Without swap, where that can be said: a service that swaps is slow for everybody. */
function memoryLimits(mebibytes: number, { swapLimit }: EngineInfo): Pick<HostConfig, 'Memory' | 'MemorySwap'> {
  const bytes = Math.round(mebibytes * MEBIBYTE)
  return { Memory: bytes, ...(swapLimit ? { MemorySwap: bytes } : {}) }
}

function gpus(wanted: ContainerSpec['gpu'], { gpu }: EngineInfo): Pick<HostConfig, 'DeviceRequests'> {
  if (wanted === 'none' || (wanted === 'auto' && gpu == null)) return {}
  const count = typeof wanted === 'number' ? wanted : -1
  // An engine that has none says so itself.
  if (gpu !== 'cdi') return { DeviceRequests: [{ Driver: '', Count: count, Capabilities: [['gpu']] }] }
  const ids = count === -1 ? ['all'] : Array.from({ length: count }, (_, i) => String(i))
  return { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ids.map(id => `nvidia.com/gpu=${id}`) }] }
}
