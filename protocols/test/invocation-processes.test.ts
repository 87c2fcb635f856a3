import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { type IncomingAnswer, InvocationError, type OutgoingRequest } from '../src/invocation/index.ts'
import { createInvoker, type NodeInvoker } from '../src/invocation/node/index.ts'
import { watchMemory } from './support/memory.ts'
import { createNode, textOf, until } from './support/nodes.ts'

const MB = 1_000_000
/** MiB; what the issue allows */
const MAX_GROWTH = 100

describe('a peer in another process', () => {
  let child: ChildProcess
  let node: Libp2p
  let invoker: NodeInvoker
  let peer: string

  beforeEach(async () => {
    const program = new URL('./support/peer-process.ts', import.meta.url).pathname
    child = spawn(process.execPath, ['--conditions=hedgerow-source', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    assert.ok(child.stdout != null)
    const [address] = await once(createInterface(child.stdout), 'line')
    node = await createNode('tcp', false)
    const connection = await node.dial(multiaddr(String(address)))
    peer = connection.remotePeer.toString()
    invoker = createInvoker(node)
  })

  afterEach(async () => {
    invoker?.stop()
    child?.kill('SIGKILL')
    await node?.stop()
  })

  function ask(path: string, request: Partial<OutgoingRequest> = {}): Promise<IncomingAnswer> {
    const { signal } = new AbortController()
    return invoker.invoke(peer, { method: 'GET', path, headers: {}, body: null, ...request }, { signal })
  }

  /** Ends the process the hard way, and says how long it took until `failing` failed. */
  async function kill(failing: Promise<unknown>, phase: InvocationError['phase']): Promise<number> {
    const start = performance.now()
    process.kill(Number(child.pid), 'SIGKILL')
    await assert.rejects(failing, err => {
      assert.ok(err instanceof InvocationError, String(err))
      assert.equal(err.phase, phase)
      assert.equal(err.peer, peer)
      assert.equal(err.byPeer, false)
      return true
    })
    return performance.now() - start
  }

  it('that is killed before it answers is noticed at once', async () => {
    const asked = ask('/hang')
    await until(() => invoker.streams(peer).open === 1)
    const elapsed = await kill(asked, 'send')
    assert.ok(elapsed < 1000, `took ${elapsed} ms`)
    assert.equal(invoker.route(peer), undefined)
    await until(() => invoker.streams(peer).open === 0)
  })

  it('that is killed in the middle of an answer is noticed at once', async () => {
    const answer = await ask('/half')
    let received = 0
    const reading = (async () => {
      for await (const chunk of answer.body) received += chunk.length
    })()
    await until(() => received === 50_000)
    const elapsed = await kill(reading, 'receive')
    assert.ok(elapsed < 1000, `took ${elapsed} ms`)
  })

  it('that is killed in the middle of a request is noticed at once', async () => {
    let sent = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield Buffer.alloc(10_000)
        sent++
      }
    }
    const asked = ask('/hang', { method: 'POST', body: endless() })
    await until(() => sent > 10)
    const elapsed = await kill(asked, 'send')
    assert.ok(elapsed < 1000, `took ${elapsed} ms`)
  })

  it('that was killed while its streams were idle has not been sent the next request', async () => {
    await textOf(await ask('/peak'))
    process.kill(Number(child.pid), 'SIGKILL')
    await assert.rejects(ask('/peak', { method: 'POST', body: Buffer.from('x') }), (err: unknown) => {
      assert.ok(err instanceof InvocationError, String(err))
      return true
    })
    await until(() => invoker.streams(peer).open === 0)
    await assert.rejects(ask('/peak'), { phase: 'connect' })
  })

  it('sends 100 MB, and neither process grows by as much', async () => {
    await warmUp()
    const memory = watchMemory()
    const answer = await ask(`/source?bytes=${100 * MB}`)
    let received = 0
    for await (const chunk of answer.body) received += chunk.length
    assert.equal(received, 100 * MB)
    await assertGrowth(memory.take())
    memory.stop()
  })

  it('receives 100 MB, and neither process grows by as much', async () => {
    await warmUp()
    const memory = watchMemory()
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let left = 100 * MB; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536))
    }
    const answer = await ask('/sink', { method: 'POST', body: source() })
    assert.equal(await textOf(answer), String(100 * MB))
    await assertGrowth(memory.take())
    memory.stop()
  })

  it('sends 100 MB to a reader who is slower than it', async () => {
    await warmUp()
    const memory = watchMemory()
    const answer = await ask(`/source?bytes=${100 * MB}`)
    let received = 0
    let pause = 0
    for await (const chunk of answer.body) {
      received += chunk.length
      if (received - pause > 5 * MB) {
        pause = received
        await new Promise(resolve => setTimeout(resolve, 30))
      }
    }
    assert.equal(received, 100 * MB)
    await assertGrowth(memory.take())
    memory.stop()
  })

  /** Both have compiled what they need, and the child's memory is measured from here. */
  async function warmUp(): Promise<void> {
    await textOf(await ask(`/source?bytes=${MB}`))
    await textOf(await ask('/peak'))
  }

  async function assertGrowth(ours: number): Promise<void> {
    const theirs = Number(await textOf(await ask('/peak')))
    assert.ok(ours < MAX_GROWTH, `we grew by ${ours} MiB`)
    assert.ok(theirs < MAX_GROWTH, `the peer grew by ${theirs} MiB`)
    if (process.env.SHOW_MEMORY != null)
      console.log(`      ${ours.toFixed(1)} MiB here, ${theirs.toFixed(1)} MiB there`)
  }
})
