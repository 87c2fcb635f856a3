import assert from 'node:assert/strict'
import { ServiceError } from '@hedgerow/service-kit'
import { Gate } from '../src/thread/gate.ts'
import type { ReadTask } from '../src/thread/task.ts'
import { Threads, type ThreadsInit } from '../src/thread/threads.ts'

const task = (format: 'html' | 'text', text: string): ReadTask => ({
  kind: 'read',
  format,
  bytes: new TextEncoder().encode(text),
  charset: undefined,
  password: '',
  ocr: 'auto'
})
/** takes seconds, and some hundred MB */
const HEAVY = task('html', `<nav>x</nav>${'<div><p>some words, and more, of a page</p>'.repeat(100_000)}`)
const LIGHT = task('text', 'light')
const NEVER = new AbortController().signal

describe('a thread that reads documents', function () {
  this.timeout(30_000)
  let threads: Threads
  const start = (init: ThreadsInit): void => {
    threads = new Threads(init)
  }
  afterEach(() => threads.close())

  const refusal = (status: number, code: string) => (err: unknown) =>
    err instanceof ServiceError && err.status === status && err.code === code
  const assertWorks = async (): Promise<void> =>
    assert.deepEqual((await threads.read(LIGHT, NEVER)).pages, [{ number: 1, text: 'light' }])

  it('is ended when one takes too long, and the next is read', async () => {
    start({ timeLimit: 1_000 })
    await assertWorks()
    await assert.rejects(threads.read(HEAVY, NEVER), refusal(504, 'TimedOut'))
    assert.equal(threads.ended, 1)
    await assertWorks()
  })

  it('is ended when one takes too much memory, and the next is read', async () => {
    start({ heap: 24 })
    await assert.rejects(threads.read(HEAVY, NEVER), refusal(422, 'DocumentTooComplex'))
    assert.equal(threads.ended, 1)
    await assertWorks()
  })

  it('is ended when nobody waits for the document any more', async () => {
    start({})
    const left = new AbortController()
    const reading = [
      threads.read(HEAVY, left.signal),
      threads.read(HEAVY, left.signal),
      threads.read(LIGHT, left.signal)
    ]
    left.abort(new Error('left'))
    for (const one of reading) await assert.rejects(one, { message: 'left' })
    await assertWorks()
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
