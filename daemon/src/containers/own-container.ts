import { access, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** The container that this process runs in, as far as it can tell. */
export interface OwnContainer {
  id?: string
  /** it does for sure; else the id is a guess, or there is none */
  certain: boolean
}

/** Files that engines lay over those of an image, from a folder named after the container. */
const OVERLAID = /^\/etc\/(hostname|hosts|resolv\.conf)$/
const ID_IN_PATH = /\/(?:overlay-)?containers\/([0-9a-f]{64})\//

/** @param root where `/proc` is. @default / */
export async function findOwnContainer(root = '/', host = hostname()): Promise<OwnContainer> {
  const [mounts, docker, podman] = await Promise.all([
    readFile(join(root, 'proc/self/mountinfo'), 'utf8').catch(() => ''),
    exists(join(root, '.dockerenv')),
    exists(join(root, 'run/.containerenv'))
  ])
  for (const line of mounts.split('\n')) {
    // A host has its containers' mounts in its own table, too, but not there.
    const [, , , source = '', target = ''] = line.split(' ')
    const id = OVERLAID.test(target) ? ID_IN_PATH.exec(source)?.[1] : undefined
    if (id != null) return { id, certain: true }
  }
  // A virtual machine that was made of an image has these files, too.
  return (docker || podman) && /^[0-9a-f]{12,64}$/.test(host) ? { id: host, certain: false } : { certain: false }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )
