import { DEFAULTS } from './constants.ts'
import type { ContainerSpec, VolumeSpec } from './index.ts'
import type { ManifestDocument } from './schema.ts'
import type { FieldPath } from './source.ts'

const SECOND = 1000

/** @param replace puts variables in */
export function toContainer(
  written: NonNullable<ManifestDocument['backend']['container']>,
  { needs = {} }: ManifestDocument,
  replace: (text: string, path: FieldPath) => string
): ContainerSpec {
  const at = (...path: FieldPath): FieldPath => ['backend', 'container', ...path]
  const words = (field: 'command' | 'entrypoint'): string[] | undefined =>
    written[field]?.map((word, i) => replace(word, at(field, i)))
  const command = words('command')
  const entrypoint = words('entrypoint')
  const env = Object.entries(written.env ?? {}).map(([name, value]): [string, string] => [
    name,
    replace(String(value), at('env', name))
  ])
  const wantsGpu = needs.gpu ?? (needs.gpu_memory_mb ?? 0) > 0
  return {
    type: 'container',
    image: replace(written.image, at('image')),
    port: written.port,
    ...(written.host_port == null ? {} : { hostPort: written.host_port }),
    ...(entrypoint == null ? {} : { entrypoint }),
    ...(command == null ? {} : { command }),
    env: Object.fromEntries(env),
    volumes: (written.volumes ?? []).map(toVolume),
    tmpfs: written.tmpfs ?? [],
    gpu: written.gpu ?? (wantsGpu ? 'all' : DEFAULTS.container.gpu),
    memory: written.memory_mb ?? needs.memory_mb ?? DEFAULTS.needs.memory_mb,
    cores: written.cores ?? needs.cores ?? DEFAULTS.needs.cores,
    ...(written.shm_mb == null ? {} : { shm: written.shm_mb }),
    pids: written.pids ?? DEFAULTS.container.pids,
    ...(written.user == null ? {} : { user: written.user }),
    readOnly: written.read_only ?? DEFAULTS.container.read_only,
    capAdd: written.cap_add ?? [],
    pull: written.pull ?? DEFAULTS.container.pull,
    stop: (written.stop_s ?? DEFAULTS.container.stop_s) * SECOND
  }
}

function toVolume(text: string): VolumeSpec {
  const [source = '', target = '', mode] = text.split(':')
  return source.startsWith('/') ? { hostPath: source, target } : { name: source, target, readOnly: mode === 'ro' }
}
