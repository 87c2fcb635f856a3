import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULT_MESH, NAME_PATTERN } from '@hedgerow/protocols/ids'
import type { Logger } from 'pino'
import { ConfigError } from '../config/errors.ts'
import { type Bootstrap, fetchBootstrap, type RelaySource } from '../discovery/index.ts'
import { replaceFile } from '../files/index.ts'

const FILE = 'mesh'
const MAX_DELAY = 15_000

/**
 * Which open mesh to join: the one that the settings name, else the one a relay names, else the one of last time. Protocol
 * ids hold the name, so it must be known before the node starts: with a relay that doesn't answer and no last time, this
 * waits.
 *
 * @throws {ConfigError} when a relay says that its mesh is closed
 */
export async function resolveMesh(
  configured: string | undefined,
  relays: RelaySource[],
  dataDir: string,
  log: Logger,
  peerId: string
): Promise<string> {
  if (configured != null) return configured
  const urls = relays.flatMap(relay => ('url' in relay ? [relay.url] : []))
  if (urls.length === 0) return DEFAULT_MESH
  const file = join(dataDir, FILE)
  const remembered = await readFile(file, 'utf8').then(
    name => (new RegExp(NAME_PATTERN).test(name) ? name : undefined),
    () => undefined
  )
  for (let delay = 500; ; delay = Math.min(MAX_DELAY, delay * 2)) {
    for (const url of urls) {
      const bootstrap = await ask(url, log)
      if (bootstrap == null) continue
      const { mesh, authority } = bootstrap
      if (authority != null)
        throw new ConfigError(
          'HEDGEROW_INVITE',
          `the mesh ${mesh} of ${url} is closed; ask its maintainers for an invite and name it here, or for a credential for this peer, ${peerId}`
        )
      if (mesh !== remembered) await remember(file, mesh, log)
      return mesh
    }
    if (remembered != null) return remembered
    await sleep(delay * (0.75 + Math.random() / 2))
  }
}

async function ask(url: string, log: Logger): Promise<Bootstrap | undefined> {
  try {
    return await fetchBootstrap(url)
  } catch (err) {
    log.warn({ relay: url, reason: err instanceof Error ? err.message : String(err) }, 'relay not reachable')
    return undefined
  }
}

async function remember(file: string, mesh: string, log: Logger): Promise<void> {
  try {
    await replaceFile(file, mesh)
  } catch (err) {
    log.warn({ err }, 'the name of the mesh could not be kept')
  }
}
