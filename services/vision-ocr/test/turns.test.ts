import assert from 'node:assert/strict'
import { Turns } from '../src/turns.ts'

const never = new AbortController().signal

describe('turns', () => {
  it('lends each thing to one at a time, in the order they were asked for', async () => {
    const turns = new Turns(['a', 'b'])
    const order: string[] = []
    const steps = [0, 1, 2, 3].map(() => Promise.withResolvers<void>())
    const work = steps.map(({ promise }, i) =>
      turns.lend(never, async thing => {
        order.push(`${i}${thing}`)
        await promise
      })
    )
    await Promise.resolve()
    assert.equal(turns.waiting, 2)
    steps[1]?.resolve()
    await work[1]
    steps[0]?.resolve()
    await work[0]
    assert.deepEqual(order, ['0b', '1a', '2a', '3b'])
    steps[2]?.resolve()
    steps[3]?.resolve()
    await Promise.all(work)
  })

  it('gives back what work that failed had', async () => {
    const turns = new Turns([1])
    await assert.rejects(turns.lend(never, () => Promise.reject(new Error('failed'))))
    assert.equal(await turns.lend(never, async thing => thing), 1)
  })

  it('lets who waits leave', async () => {
    const turns = new Turns([1])
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = turns.lend(never, () => promise)
    const gone = new AbortController()
    const second = turns.lend(gone.signal, async () => assert.fail('it left'))
    gone.abort(new Error('gone'))
    await assert.rejects(second, { message: 'gone' })
    assert.equal(turns.waiting, 0)
    resolve()
    await first
    await assert.rejects(
      turns.lend(gone.signal, async () => assert.fail('it had left')),
      { message: 'gone' }
    )
    assert.equal(await turns.lend(never, async thing => thing), 1)
  })
})
