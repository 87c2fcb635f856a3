import assert from 'node:assert/strict'
import { ServiceError } from '@hedgerow/service-kit'
import { Gate } from '../src/process/gate.ts'
import { Processes, type ProcessesInit } from '../src/process/processes.ts'
import type { ReadResult } from '../src/process/task.ts'

interface Sent {
  format: 'docx' | 'html' | 'text'
  bytes: Uint8Array
}

const sent = (format: 'html' | 'text', text: string): Sent => ({ format, bytes: new TextEncoder().encode(text) })
/** takes seconds, and some hundred MB */
const HEAVY = sent('html', `<nav>x</nav>${'<p>some <b>words</b>, <i>and</i> <u>more</u> of a page'.repeat(45_000)}`)
const LIGHT = sent('text', 'light')
const NEVER = new AbortController().signal

describe('a process that reads documents', function () {
  this.timeout(60_000)
  let processes: Processes
  const start = (init: ProcessesInit): void => {
    processes = new Processes(init)
  }
  afterEach(() => processes.close())

  const read = ({ format, bytes }: Sent, signal = NEVER): Promise<ReadResult> =>
    processes.open(bytes, signal, document =>
      document.read({ kind: 'read', format, charset: undefined, password: '', ocr: 'auto' }, signal)
    )
  const refusal = (status: number, code: string) => (err: unknown) =>
    err instanceof ServiceError && err.status === status && err.code === code
  const assertWorks = async (): Promise<void> =>
    assert.deepEqual((await read(LIGHT)).pages, [{ number: 1, text: 'light' }])

  it('is ended when one takes too long, and the next is read', async () => {
    start({ timeLimit: 500 })
    await assertWorks()
    await assert.rejects(read(HEAVY), refusal(504, 'TimedOut'))
    assert.equal(processes.ended, 1)
    await assertWorks()
  })

  it('is ended when one takes too much memory, while another is read and then the next', async () => {
    start({ heap: 24 })
    const [heavy, ...light] = await Promise.allSettled([read(HEAVY), assertWorks(), assertWorks(), assertWorks()])
    assert.ok(heavy.status === 'rejected' && refusal(422, 'DocumentTooComplex')(heavy.reason))
    for (const { status } of light) assert.equal(status, 'fulfilled')
    assert.equal(processes.ended, 1)
    await assertWorks()
  })

  it('is ended when nobody waits for the document any more', async () => {
    start({})
    const left = new AbortController()
    const reading = [read(HEAVY, left.signal), read(HEAVY, left.signal), read(LIGHT, left.signal)]
    left.abort(new Error('left'))
    for (const one of reading) await assert.rejects(one, { message: 'left' })
    await assertWorks()
  })

  it('is not given another document while it is being ended', async () => {
    start({})
    for (let i = 0; i < 3; i++) {
      const left = new AbortController()
      const reading = processes.open(HEAVY.bytes, NEVER, async document => {
        const task = { kind: 'read', format: 'html', charset: undefined, password: '', ocr: 'auto' } as const
        const read = assert.rejects(document.read(task, left.signal), { message: 'left' })
        setTimeout(() => left.abort(new Error('left')), 50)
        await read
      })
      await reading
      await assertWorks()
    }
  })
})

describe('the gate', () => {
  it('lets tasks in by their order, no more than so many at once, and past those that left', async () => {
    const gate = new Gate(2)
    const log: string[] = []
    const done = new Map<string, () => void>()
    const enter = (name: string, signal = NEVER): Promise<void> =>
      gate.run(signal, async () => {
        log.push(name)
        await new Promise<void>(resolve => done.set(name, resolve))
      })
    const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
    const leaver = new AbortController()
    const tasks = [enter('a'), enter('b')]
    const leaving = assert.rejects(enter('c', leaver.signal))
    tasks.push(enter('d'), enter('e'))
    await settle()
    assert.deepEqual(log, ['a', 'b'])
    leaver.abort()
    await leaving
    done.get('b')?.()
    await settle()
    assert.deepEqual(log, ['a', 'b', 'd'])
    done.get('a')?.()
    done.get('d')?.()
    await settle()
    assert.deepEqual(log, ['a', 'b', 'd', 'e'])
    done.get('e')?.()
    await Promise.all(tasks)
  })
})
