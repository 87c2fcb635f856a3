import type { Capabilities } from '@hedgerow/protocols/advert'
import { APPLE_GPU_SHARE, MIN_GPU_MEMORY } from './constants.ts'

/** The part of systeminformation's answer that is looked at. */
export interface Controller {
  vendor: string
  model: string
  name?: string
  /** MiB */
  vram: number | null
  memoryTotal?: number
}

/** Which graphics controllers can compute. @param memory MiB of the machine, which Apple's chips share */
export function computingGpus(controllers: readonly Controller[], memory: number): Capabilities['gpus'] {
  return controllers.flatMap(({ vendor, model, name, vram, memoryTotal }) => {
    const label = name ?? model
    if (/^Apple M\d/.test(model)) return [{ model: label, memory: Math.floor(memory * APPLE_GPU_SHARE) }]
    const own = memoryTotal ?? vram ?? 0
    const computes = /nvidia|amd|advanced micro|\bati\b/i.test(`${vendor} ${model}`) || /\barc\b/i.test(model)
    return computes && own >= MIN_GPU_MEMORY ? [{ model: label, memory: Math.floor(own) }] : []
  })
}
