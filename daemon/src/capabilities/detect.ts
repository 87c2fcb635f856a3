import { statfs } from 'node:fs/promises'
import { arch, availableParallelism, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { Capabilities } from '@hedgerow/protocols/advert'
import { readCgroupLimits } from './cgroup.ts'
import { DETECT_TIMEOUT } from './constants.ts'
import { detectGpus } from './gpus.ts'
import type { DetectOptions } from './index.ts'

const MEBIBYTE = 1024 * 1024

export async function detectCapabilities(options: DetectOptions): Promise<Capabilities> {
  const { override = {}, dataDir, timeout = DETECT_TIMEOUT, root = '/' } = options
  const platform = options.platform ?? process.platform
  const [limits, disk, gpus] = await Promise.all([
    readCgroupLimits(root),
    override.disk ?? freeDisk(dataDir),
    override.gpus ?? detectGpus({ platform, root, path: options.path ?? process.env.PATH ?? '', timeout })
  ])
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY, limits.memory)
  return {
    // A share of a core is still a place to run something.
    cores: override.cores ?? Math.max(1, Math.floor(Math.min(availableParallelism(), limits.cores))),
    memory: override.memory ?? Math.floor(memory / MEBIBYTE),
    disk,
    gpus,
    arch: override.arch ?? arch(),
    platform: override.platform ?? platform
  }
}

/** MiB that this user may still write in a folder, or in the nearest one above it that exists. */
async function freeDisk(folder: string): Promise<number> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    try {
      const { bavail, bsize } = await statfs(path)
      return Math.floor((bavail * bsize) / MEBIBYTE)
    } catch {
      if (path === dirname(path)) return 0
    }
  }
}
