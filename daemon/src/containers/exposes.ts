import { realpath } from 'node:fs/promises'
import { isAbsolute, join, normalize, relative } from 'node:path'
import type { ContainerSpec } from '../manifest/index.ts'

/**
 * The folder of the host that would bring the engine's own socket into a container, to whom it is worth the whole machine.
 * Links are followed as far as this process sees them.
 *
 * @param socket of the engine, or its URL
 */
export async function exposedBy(
  { volumes }: Pick<ContainerSpec, 'volumes'>,
  socket: string
): Promise<string | undefined> {
  if (!isAbsolute(socket)) return undefined
  const sockets = await spellings(socket)
  for (const volume of volumes) {
    if (!('hostPath' in volume)) continue
    const folders = await spellings(volume.hostPath)
    if (folders.some(folder => sockets.some(one => isWithin(folder, one)))) return volume.hostPath
  }
  return undefined
}

async function spellings(path: string): Promise<string[]> {
  return [normalize(join(path, '.')), await realpath(path).catch(() => path)]
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way)
}
