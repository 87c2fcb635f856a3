export interface Config {
  /** base URLs that end in `/v1`, the first that answers is used */
  candidates: string[]
  apiKey: string | undefined
  /** used for requests that name no model, if the upstream has it */
  defaultModel: string | undefined
  /** milliseconds until the upstream must begin to answer */
  firstByte: number
  /** milliseconds that may pass between two pieces of an answer */
  betweenChunks: number
  /** milliseconds between looks at the upstream */
  lookEvery: number
}

/** The value of an environment variable makes no sense; the message names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Where servers listen by default that people run models with: Ollama, LM Studio, Jan. llama.cpp's 8080 and vLLM's 8000
 * are not among them, because those ports are Hedgerow's own: such a server is named by `LLM_UPSTREAM_URL`.
 */
const USUAL_PORTS = [11434, 1234, 1337]
const SECOND = 1000

/** @throws {ConfigError} */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name])
  const seconds = (name: string, fallback: number): number => {
    const value = Number(given(name) ?? fallback)
    if (Number.isFinite(value) && value > 0 && value <= 3600) return value * SECOND
    throw new ConfigError(`${name} is ${JSON.stringify(env[name])}; it must be a number of seconds up to 3600`)
  }
  const url = given('LLM_UPSTREAM_URL')
  return {
    candidates: url == null ? USUAL_PORTS.map(port => `http://127.0.0.1:${port}/v1`) : [baseUrl(url)],
    apiKey: given('LLM_API_KEY'),
    defaultModel: given('LLM_DEFAULT_MODEL'),
    firstByte: seconds('LLM_FIRST_BYTE_SECONDS', 110),
    betweenChunks: seconds('LLM_BETWEEN_CHUNKS_SECONDS', 55),
    lookEvery: seconds('LLM_LOOK_SECONDS', 3)
  }
}

/** With or without `/v1` at the end, as people write it. */
function baseUrl(text: string): string {
  const url = URL.parse(text)
  if (url == null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw new ConfigError(
      `LLM_UPSTREAM_URL is ${JSON.stringify(text)}; it must be an http or https URL such as http://127.0.0.1:11434, without password`
    )
  }
  const base = url.href.replace(/\/+$/, '')
  return base.endsWith('/v1') ? base : `${base}/v1`
}
