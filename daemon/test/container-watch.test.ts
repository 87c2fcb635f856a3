import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { systemClock } from '../src/clock/index.ts'
import type { ContainerEngine } from '../src/containers/index.ts'
import { parseManifest } from '../src/manifest/index.ts'
import { ContainerLauncher } from '../src/runtime/container.ts'
import { until } from './support/runtime.ts'

describe('a container that is watched through a proxy', function () {
  this.timeout(30_000)

  it('is read once, though the proxy cuts off what waits for its end', async () => {
    const manifest = parseManifest(
      JSON.stringify({
        name: 'boxed',
        version: '1.0.0',
        title: 'A service in a container',
        backend: { container: { image: 'example.org/boxed:1', port: 80 } },
        operations: [{ method: '*', path: '/*' }]
      }),
      { file: 'boxed.yaml', folder: '/', env: {} }
    )
    if (Array.isArray(manifest) || manifest.backend.type !== 'container') throw new Error('no manifest')
    let waits = 0
    let isOver = false
    const logs: PassThrough[] = []
    const container = {
      id: 'boxed',
      start: async () => {},
      stop: async () => {},
      remove: async () => {},
      inspect: async () => ({
        State: { Running: !isOver, ExitCode: 0, Error: '' },
        NetworkSettings: { Ports: { '80/tcp': [{ HostPort: '1' }] } }
      }),
      async logs() {
        const stream = new PassThrough()
        logs.push(stream)
        return stream
      },
      async wait() {
        waits++
        throw new Error('socket hang up')
      }
    }
    const docker = {
      listContainers: async () => [],
      getImage: () => ({ inspect: async () => ({}) }),
      createContainer: async () => container
    }
    const engine = {
      run: 'r',
      need: async () => ({
        docker,
        place: '/engine.sock',
        info: { name: 'Docker', version: '1', swapLimit: true },
        reach: { kind: 'loopback' }
      })
    }
    const launcher = new ContainerLauncher(
      manifest,
      manifest.backend,
      engine as unknown as ContainerEngine,
      { log: pino({ level: 'silent' }), clock: systemClock, environment: { peerId: 'p' } } as never
    )
    const launched = await launcher.launch(new AbortController().signal)
    await until('it was waited for again', () => waits >= 3)
    assert.equal(logs.length, 1)
    // The engine was away: what it said is over.
    logs[0]?.end()
    await until('it is read anew', () => logs.length === 2)
    isOver = true
    logs[1]?.end()
    await launched.ended
    await launched.stop(0)
  })
})
