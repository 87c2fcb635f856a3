import { tmpdir } from 'node:os'
import { detectCapabilities } from '@hedgerow/daemon/capabilities'
import { mebibytes } from '../../../render/format.ts'
import type { Check, Verdict } from '../index.ts'

export const gpu: Check = {
  id: 'gpu',
  title: 'GPU',
  limit: 4000,
  late: 'a driver hangs: nvidia-smi (or rocm-smi) shows it',
  async look() {
    return judgeGpu((await detectCapabilities({ dataDir: tmpdir() })).gpus)
  }
}

/** @param gpus with their memory in MiB; 0 = the driver doesn't say */
export function judgeGpu(gpus: ReadonlyArray<{ model: string; memory: number }>): Verdict {
  if (gpus.length === 0) return { state: 'none', found: 'none that can compute; a worker here takes what needs none' }
  const mute = gpus.filter(({ memory }) => memory === 0)
  if (mute.length > 0)
    return {
      state: 'wrong',
      found: `${mute.map(({ model }) => model).join(', ')}: its driver does not say how much memory it has`,
      fix: 'make `nvidia-smi` work; in a container that takes --gpus all and the NVIDIA container toolkit'
    }
  return { state: 'well', found: gpus.map(({ model, memory }) => `${model}, ${mebibytes(memory)}`).join('; ') }
}
