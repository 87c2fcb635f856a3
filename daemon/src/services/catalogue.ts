import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../config/errors.ts'
import type { Reach } from '../containers/index.ts'
import { MANIFEST_FILE, type ServiceManifest } from '../manifest/index.ts'
import { suggest } from '../manifest/suggest.ts'

const SETTING = 'HEDGEROW_CATALOGUE'

/** Servers of language models, which `llm-inference` fronts. */
const LLM_SERVERS = ['ollama', 'vllm']

/** The manifests of the entries that a worker's owner turns on. @throws {ConfigError} when there is no such entry */
export async function catalogueFiles(folder: string, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return []
  const entries = await readdir(folder).catch((): string[] => [])
  return names.map(name => {
    if (entries.includes(name)) return join(folder, name, MANIFEST_FILE)
    const meant = suggest(name, entries)
    const hint = meant == null ? `there are: ${entries.sort().join(', ')}` : `did you mean ${meant}?`
    throw new ConfigError(SETTING, `the catalogue has no ${name}; ${hint}`)
  })
}

/**
 * Where `llm-inference` finds the server of models that the catalogue runs here: the first one that is turned on.
 *
 * @param manifests of the catalogue, as they were read
 */
export function llmServerUrl(
  manifests: readonly Pick<ServiceManifest, 'contract' | 'backend'>[],
  reach: Reach['kind']
): string | undefined {
  for (const { contract, backend } of manifests) {
    if (!LLM_SERVERS.includes(contract.name) || backend.type !== 'container') continue
    // Containers beside one another know each other by name.
    if (reach === 'networks') return `http://${contract.name}:${backend.port}`
    if (backend.hostPort != null) return `http://127.0.0.1:${backend.hostPort}`
  }
  return undefined
}
