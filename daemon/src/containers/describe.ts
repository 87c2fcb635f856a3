import type { EngineInfo } from './index.ts'

/**
 * What an engine is, from what it answers. Pure.
 *
 * @param version of `GET /version`
 * @param info of `GET /info`
 * @param devices names of the files that describe devices to engines (CDI)
 * @returns undefined when it is no engine
 */
export function describeEngine(version: unknown, info: unknown, devices: readonly string[]): EngineInfo | undefined {
  const { Version, ApiVersion, Components } = fieldsOf(version)
  if (typeof Version !== 'string' || typeof ApiVersion !== 'string') return undefined
  const components = Array.isArray(Components) ? Components.map(one => String(fieldsOf(one).Name)) : []
  const name = components.some(one => /podman/i.test(one)) ? 'Podman' : 'Docker'
  const { Runtimes, DiscoveredDevices, SwapLimit } = fieldsOf(info)
  const discovered = Array.isArray(DiscoveredDevices) ? DiscoveredDevices.map(one => String(fieldsOf(one).ID)) : []
  const described = devices.some(file => /nvidia/i.test(file)) || discovered.some(id => id.startsWith('nvidia.com/gpu'))
  const hasRuntime = Object.hasOwn(fieldsOf(Runtimes), 'nvidia')
  const gpu = name === 'Docker' && hasRuntime ? 'nvidia' : described ? 'cdi' : undefined
  return {
    name,
    version: Version.replace(/[^\x21-\x7e]/g, '').slice(0, 40),
    ...(gpu == null ? {} : { gpu }),
    swapLimit: SwapLimit === true
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value != null && !Array.isArray(value) ? { ...value } : {}
}
