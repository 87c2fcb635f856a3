/** OpenTelemetry's own variables, as far as they say whether and what is recorded; where it goes is read by its exporter. */
import { ConfigError } from '../config/errors.ts'

export interface TraceSettings {
  sampler: SamplerName
  /** of traces that are recorded, 0 to 1 */
  ratio: number
}

export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio'
] as const
export type SamplerName = (typeof SAMPLERS)[number]

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const
const PROTOCOLS = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'] as const
const PROTOCOL = 'http/protobuf'

/** @returns undefined where nothing asks for traces @throws {ConfigError} */
export function traceSettings(env: NodeJS.ProcessEnv): TraceSettings | undefined {
  // An empty variable is one that isn't set.
  const given = (name: string): string | undefined => env[name]?.trim() || undefined
  if (given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined
  const exporter = given('OTEL_TRACES_EXPORTER')
  if (exporter === 'none') return undefined
  if (exporter != null && exporter !== 'otlp')
    throw new ConfigError('OTEL_TRACES_EXPORTER', `${JSON.stringify(exporter)} is not usable: it must be otlp or none`)
  const endpoint = ENDPOINTS.find(name => given(name) != null)
  if (endpoint == null && exporter == null) return undefined
  if (endpoint != null) checkUrl(endpoint, given(endpoint))
  for (const name of PROTOCOLS) {
    const protocol = given(name)
    if (protocol != null && protocol !== PROTOCOL)
      throw new ConfigError(
        name,
        `${JSON.stringify(protocol)} is not usable: traces are sent by ${PROTOCOL}, which collectors take at port 4318`
      )
  }
  return samplerOf(given)
}

/** Where traces go, for the log: without what may be a secret. @param env in which {@link traceSettings} finds nothing wrong */
export function collectorOf(env: NodeJS.ProcessEnv): string {
  const endpoint = ENDPOINTS.map(name => env[name]?.trim()).find(value => value != null && value !== '')
  const { origin, pathname } = new URL(endpoint ?? 'http://localhost:4318')
  return pathname === '/' ? origin : `${origin}${pathname}`
}

function checkUrl(name: string, value: string | undefined): void {
  const url = URL.parse(value ?? '')
  if (url != null && /^https?:$/.test(url.protocol)) return
  throw new ConfigError(name, 'it must be the http(s) URL of a collector, as in http://localhost:4318')
}

function samplerOf(given: (name: string) => string | undefined): TraceSettings {
  const name = given('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on'
  const sampler = SAMPLERS.find(one => one === name)
  if (sampler == null)
    throw new ConfigError(
      'OTEL_TRACES_SAMPLER',
      `${JSON.stringify(name)} is not usable: it must be one of ${SAMPLERS.join(', ')}`
    )
  const arg = given('OTEL_TRACES_SAMPLER_ARG')
  const ratio = Number(arg ?? 1)
  if (sampler.endsWith('traceidratio') && !(ratio >= 0 && ratio <= 1))
    throw new ConfigError(
      'OTEL_TRACES_SAMPLER_ARG',
      `${JSON.stringify(arg)} is not usable: it must be a share from 0 to 1`
    )
  return { sampler, ratio }
}
