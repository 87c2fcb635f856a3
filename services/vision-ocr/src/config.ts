export interface Config {
  /** pages read at once, each by a thread of its own */
  workers: number
  /** milliseconds that one request may take */
  timeLimit: number
  /** requests at once, waiting ones included, each with its body in memory; one more gets 429 */
  requests: number
}

/** A setting that can't be used; its message names the variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const WORKERS = { default: 2, least: 1, most: 64 }
const REQUESTS = { default: 32, least: 1, most: 10_000 }
/** seconds; below `first_byte_s` of the manifest, so that the answer says why */
const TIME_LIMIT = { default: 590, least: 1, most: 86_400 }

export function readConfig(env: NodeJS.ProcessEnv): Config {
  return {
    workers: integer(env, 'OCR_WORKERS', WORKERS),
    timeLimit: integer(env, 'OCR_TIME_LIMIT_S', TIME_LIMIT) * 1000,
    requests: integer(env, 'OCR_REQUESTS', REQUESTS)
  }
}

function integer(
  env: NodeJS.ProcessEnv,
  name: string,
  { default: preset, least, most }: { default: number; least: number; most: number }
): number {
  const text = env[name]
  if (text == null || text === '') return preset
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new ConfigError(`${name} is ${JSON.stringify(text)}; it must be a whole number from ${least} to ${most}`)
}
