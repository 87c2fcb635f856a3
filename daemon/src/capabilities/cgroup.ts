import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface CgroupLimits {
  /** bytes; Infinity without a limit */
  memory: number
  /** may be a fraction; Infinity without a limit */
  cores: number
}

/**
 * The tightest limits of the control groups that this process is in, version 1 or 2. A limit on any group above counts
 * too, so all of them are looked at, as far as they can be seen from here.
 */
export async function readCgroupLimits(root = '/'): Promise<CgroupLimits> {
  const groups = await readText(join(root, 'proc/self/cgroup'))
  const memory: Array<Promise<number>> = []
  const cores: Array<Promise<number>> = []
  for (const line of groups?.split('\n') ?? []) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (controllers == null || path == null) continue
    const named = controllers.split(',')
    if (controllers === '') {
      for (const folder of upwards(join(root, 'sys/fs/cgroup'), path)) {
        memory.push(readNumber(join(folder, 'memory.max')))
        cores.push(readQuota(join(folder, 'cpu.max')))
      }
    }
    if (named.includes('memory')) {
      for (const folder of upwards(join(root, 'sys/fs/cgroup/memory'), path)) {
        memory.push(readNumber(join(folder, 'memory.limit_in_bytes')))
      }
    }
    if (named.includes('cpu')) {
      for (const folder of upwards(join(root, 'sys/fs/cgroup/cpu'), path)) {
        cores.push(
          Promise.all([
            readNumber(join(folder, 'cpu.cfs_quota_us')),
            readNumber(join(folder, 'cpu.cfs_period_us'))
          ]).then(([quota, period]) => quota / period)
        )
      }
    }
  }
  return { memory: await least(memory), cores: await least(cores) }
}

/**
 * A group's folder and all above it. In a container the path is often the host's, which can't be seen inside; the top
 * folder then holds the container's own limits.
 */
function upwards(top: string, path: string): string[] {
  const folders = [top]
  for (let folder = join(top, path); folder.length > top.length; folder = dirname(folder)) folders.push(folder)
  return folders
}

async function least(values: Array<Promise<number>>): Promise<number> {
  const usable = (await Promise.all(values)).filter(value => value > 0)
  return Math.min(Number.POSITIVE_INFINITY, ...usable)
}

/** `max` and -1 mean no limit, and a file that isn't there has none. */
async function readNumber(file: string): Promise<number> {
  const value = Number((await readText(file))?.trim() || Number.NaN)
  return value >= 0 ? value : Number.NaN
}

/** `150000 100000`: so many microseconds out of so many. */
async function readQuota(file: string): Promise<number> {
  const [quota, period] = (await readText(file))?.trim().split(' ').map(Number) ?? []
  return quota == null || period == null ? Number.NaN : quota / period
}

const readText = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined)
