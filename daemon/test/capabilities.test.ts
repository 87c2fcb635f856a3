import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readCgroupLimits } from '../src/capabilities/cgroup.ts'
import { computingGpus } from '../src/capabilities/controllers.ts'
import { detectCapabilities, tiersOf } from '../src/capabilities/index.ts'
import { run } from '../src/capabilities/run.ts'

const MEBIBYTE = 1024 * 1024
const GIBIBYTE = 1024 * MEBIBYTE
const NVIDIA_SMI = "#!/bin/sh\nprintf 'NVIDIA A100-SXM4-40GB, 40960\\nTesla T4, 15360\\n'\n"

describe('capabilities', () => {
  let folder: string
  let machines = 0
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hedgerow-capabilities-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  /** A machine as its /proc, /sys and /dev show it. */
  function machine(files: Record<string, string>): string {
    const root = join(folder, String(machines++))
    mkdirSync(root)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    if ('bin/nvidia-smi' in files) chmodSync(join(root, 'bin/nvidia-smi'), 0o755)
    return root
  }
  const detect = (root: string, timeout = 10_000) =>
    detectCapabilities({
      dataDir: folder,
      root,
      path: `${join(root, 'bin')}:/usr/bin:/bin`,
      timeout,
      platform: 'linux'
    })

  it('are those of this machine', async () => {
    const found = await detectCapabilities({ dataDir: join(folder, 'not', 'there', 'yet') })
    assert.ok(found.cores >= 1 && found.cores <= availableParallelism())
    assert.ok(found.memory > 64)
    assert.ok(found.disk > 0)
    assert.equal(found.arch, process.arch)
    assert.equal(found.platform, process.platform)
  })

  it('are what the owner says', async () => {
    const override = {
      cores: 3,
      memory: 5,
      disk: 7,
      gpus: [{ model: 'abacus', memory: 1 }],
      arch: 'z80',
      platform: 'cpm'
    }
    assert.deepEqual(await detectCapabilities({ dataDir: folder, override }), override)
    const { memory, gpus } = await detectCapabilities({ dataDir: folder, override: { memory: 128, gpus: [] } })
    assert.deepEqual({ memory, gpus }, { memory: 128, gpus: [] })
  })

  it('count NVIDIA cards as the driver names them', async () => {
    const root = machine({ 'dev/nvidia0': '', 'dev/nvidia1': '', 'bin/nvidia-smi': NVIDIA_SMI })
    assert.deepEqual((await detect(root)).gpus, [
      { model: 'NVIDIA A100-SXM4-40GB', memory: 40_960 },
      { model: 'Tesla T4', memory: 15_360 }
    ])
  })

  it('do not ask nvidia-smi where there is no card', async () => {
    assert.deepEqual((await detect(machine({ 'dev/null': '', 'bin/nvidia-smi': NVIDIA_SMI }))).gpus, [])
  })

  it('do without an nvidia-smi that hangs, within the time-out', async () => {
    const root = machine({
      'dev/nvidia0': '',
      'proc/driver/nvidia/gpus/0000:01:00.0/information': 'Model: \t\t NVIDIA GeForce RTX 4090\nIRQ: 1\n',
      'bin/nvidia-smi': '#!/bin/sh\ntrap "" TERM\nsleep 60\n'
    })
    const started = performance.now()
    assert.deepEqual((await detect(root, 300)).gpus, [{ model: 'NVIDIA GeForce RTX 4090', memory: 0 }])
    assert.ok(performance.now() - started < 10_000)
  })

  it('do without an nvidia-smi that fails, floods or is missing', async () => {
    for (const script of [
      '#!/bin/sh\nexit 9\n',
      '#!/bin/sh\nyes "x, y"\n',
      '#!/bin/sh\necho "No devices were found"\n'
    ]) {
      const root = machine({ 'dev/nvidia0': '', 'bin/nvidia-smi': script })
      assert.deepEqual((await detect(root)).gpus, [{ model: 'NVIDIA GPU', memory: 0 }])
    }
    assert.equal((await detect(machine({ 'dev/nvidia0': '' }))).gpus.length, 1)
  })

  it('count only the cards that a container was given', async () => {
    const root = machine({
      'dev/nvidia3': '',
      'proc/driver/nvidia/gpus/0000:01:00.0/information': 'Model: Tesla T4\n',
      'proc/driver/nvidia/gpus/0000:02:00.0/information': 'Model: Tesla T4\n'
    })
    assert.deepEqual((await detect(root)).gpus, [{ model: 'Tesla T4', memory: 0 }])
  })

  it('count AMD cards that can compute, and no chip that draws the desktop', async () => {
    const cards = {
      'sys/class/drm/card0/device/vendor': '0x1002\n',
      'sys/class/drm/card0/device/device': '0x744c\n',
      'sys/class/drm/card0/device/mem_info_vram_total': `${24 * GIBIBYTE}\n`,
      'sys/class/drm/card1/device/vendor': '0x8086\n',
      'sys/class/drm/card2/device/vendor': '0x1002\n',
      'sys/class/drm/card2/device/mem_info_vram_total': `${512 * MEBIBYTE}\n`,
      'sys/class/drm/card0-DP-1/status': 'connected'
    }
    assert.deepEqual((await detect(machine({ ...cards, 'dev/kfd': '' }))).gpus, [
      { model: 'AMD GPU 0x744c', memory: 24 * 1024 }
    ])
    assert.deepEqual((await detect(machine({ ...cards, 'dev/null': '' }))).gpus, [])
  })

  it('are found by systeminformation elsewhere, which is asked in a process of its own', async () => {
    const probe = fileURLToPath(new URL('../src/capabilities/probe.ts', import.meta.url))
    const output = await run(process.execPath, [probe], { timeout: 15_000, env: process.env })
    assert.ok(Array.isArray(JSON.parse(output ?? 'it failed')))
  })

  it('count what systeminformation says can compute', () => {
    const gpus = computingGpus(
      [
        { vendor: 'Apple', model: 'Apple M2 Pro', vram: null },
        { vendor: 'NVIDIA', model: 'GA102', name: 'GeForce RTX 3090', vram: 4095, memoryTotal: 24_576 },
        { vendor: 'Intel Corporation', model: 'UHD Graphics 630', vram: 1536 },
        { vendor: 'Intel Corporation', model: 'Intel(R) Arc(TM) A770', vram: 16_384 },
        { vendor: 'Advanced Micro Devices, Inc.', model: 'Radeon Vega 8', vram: 512 },
        { vendor: 'Red Hat, Inc.', model: 'Virtio GPU', vram: 8192 }
      ],
      30_000
    )
    assert.deepEqual(gpus, [
      { model: 'Apple M2 Pro', memory: 20_000 },
      { model: 'GeForce RTX 3090', memory: 24_576 },
      { model: 'Intel(R) Arc(TM) A770', memory: 16_384 }
    ])
  })

  describe('in a control group', () => {
    for (const [what, files, expected] of [
      [
        'version 2, as a container sees it',
        {
          'proc/self/cgroup': '0::/\n',
          'sys/fs/cgroup/memory.max': '536870912\n',
          'sys/fs/cgroup/cpu.max': '150000 100000\n'
        },
        { memory: 512 * MEBIBYTE, cores: 1.5 }
      ],
      [
        'version 2, without limits',
        {
          'proc/self/cgroup': '0::/a\n',
          'sys/fs/cgroup/a/memory.max': 'max\n',
          'sys/fs/cgroup/a/cpu.max': 'max 100000\n'
        },
        { memory: Number.POSITIVE_INFINITY, cores: Number.POSITIVE_INFINITY }
      ],
      [
        'version 2, limited by a group above',
        {
          'proc/self/cgroup': '0::/user.slice/me.scope\n',
          'sys/fs/cgroup/user.slice/me.scope/memory.max': `${2 * GIBIBYTE}`,
          'sys/fs/cgroup/user.slice/memory.max': `${GIBIBYTE}`,
          'sys/fs/cgroup/user.slice/cpu.max': '50000 100000'
        },
        { memory: GIBIBYTE, cores: 0.5 }
      ],
      [
        'version 1',
        {
          'proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n',
          'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${256 * MEBIBYTE}`,
          'sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us': '200000',
          'sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us': '100000'
        },
        { memory: 256 * MEBIBYTE, cores: 2 }
      ],
      [
        "version 1, with the host's path in a container",
        {
          'proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n',
          'sys/fs/cgroup/memory/memory.limit_in_bytes': `${256 * MEBIBYTE}`,
          'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
          'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000'
        },
        { memory: 256 * MEBIBYTE, cores: Number.POSITIVE_INFINITY }
      ],
      [
        'that says nothing that makes sense',
        {
          'proc/self/cgroup': 'nonsense\n0::/x\n',
          'sys/fs/cgroup/x/memory.max': 'plenty',
          'sys/fs/cgroup/x/cpu.max': ''
        },
        { memory: Number.POSITIVE_INFINITY, cores: Number.POSITIVE_INFINITY }
      ]
    ] as const) {
      it(`${what}, have its limits`, async () => {
        assert.deepEqual(await readCgroupLimits(machine(files)), expected)
      })
    }

    it('shrink to it, and never below one core', async () => {
      const root = machine({
        'proc/self/cgroup': '0::/\n',
        'sys/fs/cgroup/memory.max': `${64 * MEBIBYTE}`,
        'sys/fs/cgroup/cpu.max': '20000 100000'
      })
      const { cores, memory } = await detect(root)
      assert.deepEqual({ cores, memory }, { cores: 1, memory: 64 })
    })
  })
})

describe('the kind of a worker', () => {
  const gpus = [{ model: 'T4', memory: 15_360 }]
  it('says which tiers it takes', () => {
    assert.deepEqual(tiersOf('cpu', { gpus, disk: 1e6 }), ['cpu'])
    assert.deepEqual(tiersOf('gpu', { gpus: [], disk: 0 }), ['gpu'])
    assert.deepEqual(tiersOf('edge', { gpus, disk: 1e6 }), ['edge'])
  })
  it('left to itself, follows from what the machine has', () => {
    assert.deepEqual(tiersOf('auto', { gpus: [], disk: 1000 }), ['cpu', 'edge'])
    assert.deepEqual(tiersOf('auto', { gpus, disk: 1e6 }), ['cpu', 'edge', 'gpu', 'storage'])
  })
})
