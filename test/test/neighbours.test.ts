import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../src/harness.ts'
import { canMakeHosts, type Host, twoHosts } from '../src/hosts.ts'

const DAEMON = fileURLToPath(new URL('../../daemon/bin/hedgerow-daemon.js', import.meta.url))

describe('two daemons on one local network', function () {
  this.timeout(60_000)
  const daemons: ChildProcess[] = []
  let network: ReturnType<typeof twoHosts> | undefined
  let dir: string

  before(async function () {
    if (!canMakeHosts()) {
      if (process.env.CI === 'true')
        throw new Error('network namespaces are not to be had: this test needs root, Linux and iproute2')
      this.skip()
    }
    dir = await mkdtemp(join(tmpdir(), 'hedgerow-neighbours-'))
    network = twoHosts()
  })

  after(async () => {
    for (const daemon of daemons) {
      if (daemon.exitCode != null || daemon.signalCode != null) continue
      daemon.kill('SIGTERM')
      await once(daemon, 'exit')
    }
    network?.stop()
    if (dir != null) await rm(dir, { recursive: true, force: true })
  })

  const ask = ({ exec }: Host, path: string): { workers: Array<{ worker_id: string; path: string }> } => {
    const [command = '', ...args] = exec
    return JSON.parse(
      execFileSync(
        command,
        [
          ...args,
          process.execPath,
          '-e',
          `fetch('http://127.0.0.1:8000${path}').then(r => r.text()).then(t => process.stdout.write(t))`
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }
      )
    )
  }

  it('find each other with nothing set: no relay, no address', async () => {
    for (const [i, { exec }] of (network?.hosts ?? []).entries()) {
      const [command = '', ...args] = exec
      daemons.push(
        spawn(command, [...args, process.execPath, DAEMON], {
          stdio: 'ignore',
          env: {
            PATH: process.env.PATH,
            HOME: dir,
            HEDGEROW_NAME: `host-${i}`,
            HEDGEROW_DATA_DIR: join(dir, String(i)),
            HEDGEROW_FORBID_SERVICES: '*'
          }
        })
      )
    }
    for (const [i, host] of (network?.hosts ?? []).entries()) {
      const found = await until(
        'it has found its neighbour',
        async () =>
          ask(host, '/api/admin/workers').workers.find(
            ({ worker_id, path }) => worker_id === `host-${1 - i}` && path != null
          ),
        40_000
      )
      assert.equal(found.path, 'direct')
    }
  })
})
