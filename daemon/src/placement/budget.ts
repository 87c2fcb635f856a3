import type { Capabilities } from '@hedgerow/protocols/advert'
import type { Needs } from '../manifest/index.ts'
import { CORE_OVERCOMMIT, MEMORY_SHARE } from './constants.ts'

/** What is left of a machine as services are given their parts of it. */
export class Budget {
  /** cores of the machine itself; no service gets more than there are */
  readonly #cores: number
  #coresLeft: number
  #memoryLeft: number
  #diskLeft: number
  /** of each GPU */
  readonly #gpusLeft: number[]

  constructor({ cores, memory, disk, gpus }: Capabilities) {
    this.#cores = cores
    this.#coresLeft = cores * CORE_OVERCOMMIT
    this.#memoryLeft = memory * MEMORY_SHARE
    this.#diskLeft = disk
    this.#gpusLeft = gpus.map(gpu => gpu.memory)
  }

  fits(needs: Needs): boolean {
    return (
      needs.cores <= this.#cores &&
      needs.cores <= this.#coresLeft &&
      needs.memory <= this.#memoryLeft &&
      needs.disk <= this.#diskLeft &&
      (!needs.gpu || this.#gpuFor(needs.gpuMemory) !== -1)
    )
  }

  /** Gives a service its part, even if there isn't enough. */
  take(needs: Needs): void {
    this.#coresLeft -= needs.cores
    this.#memoryLeft -= needs.memory
    this.#diskLeft -= needs.disk
    const gpu = needs.gpu ? this.#gpuFor(needs.gpuMemory) : -1
    if (gpu !== -1) this.#gpusLeft[gpu] = (this.#gpusLeft[gpu] ?? 0) - needs.gpuMemory
  }

  /** @returns whether there was enough */
  takeIfFits(needs: Needs): boolean {
    const fits = this.fits(needs)
    if (fits) this.take(needs)
    return fits
  }

  /** The GPU with the least memory that has enough, so that large gaps stay large. */
  #gpuFor(memory: number): number {
    let best = -1
    for (const [i, left] of this.#gpusLeft.entries()) {
      if (left >= memory && (best === -1 || left < (this.#gpusLeft[best] ?? 0))) best = i
    }
    return best
  }
}
