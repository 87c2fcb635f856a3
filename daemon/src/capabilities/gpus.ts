import { readdir, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Capabilities } from '@hedgerow/protocols/advert'
import { MAX_GPUS, MIN_GPU_MEMORY, WSL_PATH } from './constants.ts'
import { run } from './run.ts'

type Gpu = Capabilities['gpus'][number]

export interface GpuOptions {
  platform: NodeJS.Platform
  root: string
  path: string
  timeout: number
}

const AMD = '0x1002'

/** GPUs that can compute; a chip that only draws is none. */
export async function detectGpus(options: GpuOptions): Promise<Gpu[]> {
  const found = options.platform === 'linux' ? await onLinux(options) : await elsewhere(options)
  return found.slice(0, MAX_GPUS)
}

/**
 * Asks the drivers themselves. systeminformation needs lspci here, which containers don't have, and waits without end
 * for nvidia-smi, blocking the process.
 */
async function onLinux({ root, path, timeout }: GpuOptions): Promise<Gpu[]> {
  const [nvidia, amd] = await Promise.all([nvidiaGpus(root, path, timeout), amdGpus(root)])
  return [...nvidia, ...amd]
}

async function nvidiaGpus(root: string, path: string, timeout: number): Promise<Gpu[]> {
  const [devices, cards] = await Promise.all([list(join(root, 'dev')), list(join(root, 'proc/driver/nvidia/gpus'))])
  const numbered = devices.filter(name => /^nvidia\d+$/.test(name))
  if (numbered.length === 0 && cards.length === 0 && !devices.includes('dxg')) return []
  const output = await run('nvidia-smi', ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'], {
    timeout,
    env: { PATH: `${path}${delimiter}${WSL_PATH}`, LC_ALL: 'C' }
  })
  const answered = (output ?? '').split('\n').flatMap(line => {
    const [, model, memory] = /^(.+), *(\d+)$/.exec(line.trim()) ?? []
    return model == null || memory == null ? [] : [{ model, memory: Number(memory) }]
  })
  if (answered.length > 0) return answered
  // It is missing, hangs or fails. The cards are there all the same; how much memory they have nobody says.
  const models = await Promise.all(cards.map(card => nvidiaModel(join(root, 'proc/driver/nvidia/gpus', card))))
  const known = models.map(model => ({ model, memory: 0 }))
  // A container may see all cards in /proc and be given one in /dev.
  if (known.length > 0) return numbered.length > 0 ? known.slice(0, numbered.length) : known
  return numbered.map(() => ({ model: 'NVIDIA GPU', memory: 0 }))
}

async function nvidiaModel(folder: string): Promise<string> {
  const [, model] = /^Model:\s*(.+)$/m.exec((await readText(join(folder, 'information'))) ?? '') ?? []
  return model?.trim() ?? 'NVIDIA GPU'
}

/** AMD's cards compute through /dev/kfd, and their driver says how much memory each has. */
async function amdGpus(root: string): Promise<Gpu[]> {
  if (!(await list(join(root, 'dev'))).includes('kfd')) return []
  const drm = join(root, 'sys/class/drm')
  const cards = (await list(drm)).filter(name => /^card\d+$/.test(name)).sort()
  const gpus = await Promise.all(cards.map(card => amdGpu(join(drm, card, 'device'))))
  return gpus.filter(gpu => gpu != null)
}

async function amdGpu(device: string): Promise<Gpu | undefined> {
  const [vendor, id, name, bytes] = await Promise.all(
    ['vendor', 'device', 'product_name', 'mem_info_vram_total'].map(file => readText(join(device, file)))
  )
  const memory = Math.floor(Number(bytes ?? 0) / 1024 / 1024)
  if (vendor?.trim() !== AMD || !(memory >= MIN_GPU_MEMORY)) return undefined
  return { model: name?.trim() || `AMD GPU ${id?.trim() ?? ''}`.trim(), memory }
}

/** macOS and Windows: systeminformation knows how, in a process of its own because it can block for long. */
async function elsewhere({ timeout }: GpuOptions): Promise<Gpu[]> {
  const file = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'probe.ts' : 'probe.js', import.meta.url))
  const output = await run(process.execPath, [file], { timeout, env: process.env })
  try {
    const gpus: unknown = JSON.parse(output ?? '[]')
    return Array.isArray(gpus) ? gpus.filter(isGpu) : []
  } catch {
    return []
  }
}

function isGpu(value: unknown): value is Gpu {
  if (typeof value !== 'object' || value == null) return false
  return 'model' in value && typeof value.model === 'string' && 'memory' in value && typeof value.memory === 'number'
}

const list = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
const readText = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined)
