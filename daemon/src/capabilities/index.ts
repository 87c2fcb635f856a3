/**
 * What this machine can do: cores, memory, disk and GPUs as a process here may use them, so that a container says what
 * it was given and not what its host has. Detection is bounded in time: a driver that hangs costs the GPUs, not the
 * start.
 *
 * @example
 * ```ts
 * const capabilities = await detectCapabilities({ dataDir: '/var/lib/hedgerow', override: { memory: 8192 } })
 * tiersOf('auto', capabilities) // ['cpu', 'edge', 'gpu']
 * ```
 */
import type { Capabilities } from '@hedgerow/protocols/advert'

export { detectCapabilities } from './detect.ts'
export { tiersOf } from './tiers.ts'

/** What the owner of a worker wants it used for; `auto` = whatever it is good for. */
export const WORKER_KINDS = ['auto', 'cpu', 'gpu', 'storage', 'edge'] as const
export type WorkerKind = (typeof WORKER_KINDS)[number]

export interface DetectOptions {
  /** where services keep their data: its disk is the one that counts; it need not exist yet */
  dataDir: string
  /** what the owner says is taken as it is, and not looked for */
  override?: Partial<Capabilities>
  /** milliseconds that looking for GPUs may take. @default 3,000 */
  timeout?: number
  /** where `/proc`, `/sys` and `/dev` are. @default / */
  root?: string
  /** as in `process.platform`. @default this platform */
  platform?: NodeJS.Platform
  /** where programs are looked for. @default PATH */
  path?: string
}
