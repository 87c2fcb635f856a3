import assert from 'node:assert/strict'
import { Budget } from '../src/placement/budget.ts'
import { BLOCKED_PATIENCE, GAP_PATIENCE, MEMORY_SHARE, SUPERFLUOUS_PATIENCE } from '../src/placement/constants.ts'
import {
  eligibleServices,
  makePlan,
  NOTHING_YET,
  type PlacementInput,
  type PlacementWorker,
  place
} from '../src/placement/index.ts'
import { hash, rank } from '../src/placement/rank.ts'
import { service, worker } from './support/placement-world.ts'

const GPU = { gpus: [{ model: 'T4', memory: 16_000 }] }
const names = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

function able(peerId: string, eligible: string[], more: Parameters<typeof worker>[1] = {}): PlacementWorker {
  return { ...worker(peerId, more), eligible }
}

describe('the plan', () => {
  const services = names(12, 'service-').map(name => service(name))
  const eligible = services.map(({ name }) => name)
  const workers = names(20, 'worker-').map(name => able(name, eligible))
  const chosen = (some: PlacementWorker[]) => makePlan(services, some).chosen

  it('is the same in whatever order things are known', () => {
    assert.deepEqual(chosen(workers), chosen([...workers].reverse()))
    assert.deepEqual(
      [...makePlan([...services].reverse(), workers).chosen].sort(),
      [...makePlan(services, workers).chosen].sort()
    )
  })

  it('gives each service as many workers as it wants, each once', () => {
    for (const peers of chosen(workers).values()) {
      assert.equal(peers.length, 2)
      assert.equal(new Set(peers).size, 2)
    }
  })

  it('moves, when a worker leaves, only what that had', () => {
    const before = chosen(workers)
    for (const leaver of workers) {
      const after = chosen(workers.filter(one => one !== leaver))
      for (const [name, peers] of before) {
        const stay = peers.filter(peer => peer !== leaver.peerId)
        assert.ok(stay.every(peer => after.get(name)?.includes(peer)))
        if (stay.length === peers.length) assert.deepEqual(after.get(name), peers)
      }
    }
  })

  it('moves, when a worker joins, only to that', () => {
    const before = chosen(workers)
    const after = chosen([...workers, able('newcomer', eligible)])
    for (const [name, peers] of after) {
      for (const peer of peers) assert.ok(peer === 'newcomer' || before.get(name)?.includes(peer))
    }
  })

  it('spreads evenly over equal workers, and gives larger ones more', () => {
    const many = names(2000, 's').map(name =>
      service(name, { replicas: 1, needs: { ...service('').needs, cores: 0, memory: 0 } })
    )
    const all = many.map(({ name }) => name)
    const count = (workers: PlacementWorker[]): Record<string, number> => {
      const counts: Record<string, number> = {}
      for (const [peer] of makePlan(many, workers).chosen.values())
        if (peer != null) counts[peer] = (counts[peer] ?? 0) + 1
      return counts
    }
    for (const n of Object.values(count(names(10, 'w').map(name => able(name, all)))))
      assert.ok(n > 140 && n < 260, `${n}`)
    const { large = 0, small = 0 } = count([able('large', all, { cores: 63 }), able('small', all, { cores: 1 })])
    // Six bits to one.
    assert.ok(large / small > 5 && large / small < 7.2, `${large} to ${small}`)
  })

  it('keeps GPUs for what needs them, as long as there are others', () => {
    const needy = service('llm', { needs: { ...service('').needs, gpu: true, gpuMemory: 8000 } })
    const some = [needy, ...services]
    const all = some.map(({ name }) => name)
    const mixed = [able('gpu', all, { ...GPU, cores: 64 }), ...names(3, 'w').map(name => able(name, all))]
    const plan = makePlan(some, mixed).chosen
    assert.deepEqual(plan.get('llm'), ['gpu'])
    for (const { name } of services) assert.equal(plan.get(name)?.includes('gpu'), false)
    const alone = makePlan(some, [able('gpu', all, GPU)]).chosen
    assert.deepEqual(alone.get('service-0'), ['gpu'])
  })

  it('gives the machine with much memory to what fits nowhere else', () => {
    const big = service('z-big', { needs: { ...service('').needs, memory: 12_000 } })
    const small = names(20, 'a-small-').map(name =>
      service(name, { replicas: 1, needs: { ...service('').needs, memory: 1000, cores: 0 } })
    )
    const some = [...small, big]
    const all = some.map(({ name }) => name)
    const plan = makePlan(some, [able('large', all, { memory: 16_000 }), able('little', all, { memory: 8000 })]).chosen
    assert.deepEqual(plan.get('z-big'), ['large'])
  })

  it('never gives out more memory than services may have', () => {
    const some = names(30, 's').map(name => service(name, { needs: { ...service('').needs, memory: 700, cores: 0 } }))
    const all = some.map(({ name }) => name)
    const machines = names(4, 'w').map((name, i) => able(name, all, { memory: 2000 * (i + 1) }))
    const plan = makePlan(some, machines).chosen
    for (const { peerId, capabilities } of machines) {
      const count = [...plan.values()].filter(peers => peers.includes(peerId)).length
      assert.equal(count, Math.floor((capabilities.memory * MEMORY_SHARE) / 700))
    }
  })

  it('gives each service one worker before any gets two', () => {
    const some = names(6, 's').map(name =>
      service(name, { replicas: 3, needs: { ...service('').needs, memory: 1000, cores: 0 } })
    )
    const all = some.map(({ name }) => name)
    // Room for eight instances.
    const plan = makePlan(
      some,
      names(2, 'w').map(name => able(name, all, { memory: 5000 }))
    ).chosen
    for (const peers of plan.values()) assert.ok(peers.length >= 1)
    assert.equal([...plan.values()].flat().length, 8)
  })

  it('takes only workers that say they could', () => {
    const plan = makePlan([service('a')], [able('yes', ['a']), able('no', ['b'])]).chosen
    assert.deepEqual(plan.get('a'), ['yes'])
  })

  it('is made for a large mesh in no time worth mention', () => {
    const some = names(64, 's').map(name => service(name, { replicas: 5 }))
    const all = some.map(({ name }) => name)
    const mesh = names(1000, 'w').map(name => able(name, all))
    const started = performance.now()
    makePlan(some, mesh)
    assert.ok(performance.now() - started < 3000)
  })
})

describe('the ranking', () => {
  it('hashes evenly, and anew for each text', () => {
    const values = names(10_000, 'x').map(hash)
    assert.ok(values.every(value => value > 0 && value < 1))
    assert.equal(new Set(values).size, 10_000)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    assert.ok(Math.abs(mean - 0.5) < 0.01)
  })

  it('differs between services', () => {
    const workers = names(10, 'w').map(name => able(name, []))
    const firsts = new Set(names(50, 's').map(name => rank(service(name), workers)[0]?.peerId))
    assert.ok(firsts.size > 5)
  })
})

describe('room on a machine', () => {
  const { capabilities } = worker('w', {
    cores: 2,
    memory: 1000,
    disk: 100,
    gpus: [
      { model: 'a', memory: 8 },
      { model: 'b', memory: 16 }
    ]
  })
  const needs = { cores: 0, memory: 0, disk: 0, gpu: false, gpuMemory: 0 }

  it('is refused to what needs more than there is', () => {
    const budget = new Budget(capabilities)
    for (const more of [{ cores: 3 }, { memory: 900 }, { disk: 101 }, { gpu: true, gpuMemory: 17 }]) {
      assert.equal(budget.fits({ ...needs, ...more }), false, JSON.stringify(more))
    }
    assert.ok(budget.fits({ cores: 2, memory: 800, disk: 100, gpu: true, gpuMemory: 16 }))
  })

  it('counts each GPU by itself, and fills the smaller one first', () => {
    const budget = new Budget(capabilities)
    const gpu = (gpuMemory: number): boolean => budget.takeIfFits({ ...needs, gpu: true, gpuMemory })
    assert.deepEqual([gpu(8), gpu(16), gpu(1)], [true, true, false])
  })
})

describe('what a worker could run', () => {
  const input = {
    services: [
      service('cpu'),
      service('gpu', { tier: 'gpu', needs: { ...service('').needs, gpu: true } }),
      service('huge', { needs: { ...service('').needs, memory: 1e6 } }),
      service('url', { tier: 'gpu', everywhere: true })
    ],
    tiers: ['cpu'] as const,
    capabilities: worker('w').capabilities,
    pinned: [],
    forbidden: []
  }
  it('is of its kind and fits', () => assert.deepEqual(eligibleServices(input), ['cpu', 'url']))
  it('is what its owner pins, and never what it forbids', () => {
    assert.deepEqual(eligibleServices({ ...input, pinned: ['huge'], forbidden: ['cpu'] }), ['huge', 'url'])
  })
  it('fits beside what is pinned', () => {
    const services = [
      service('a', { needs: { ...service('').needs, memory: 12_000 } }),
      service('b', { needs: { ...service('').needs, memory: 2000 } })
    ]
    assert.deepEqual(eligibleServices({ ...input, services, pinned: ['a'] }), ['a'])
  })
})

describe('a decision', () => {
  const s = service('s', { replicas: 1 })
  /** Of two workers, the one that the plan has for s, and the other. */
  const both = ['p', 'q'].map(name => able(name, ['s']))
  const [best = '', other = ''] = rank(s, both).map(({ peerId }) => peerId)
  const input = (more: Partial<PlacementInput> & { runs?: string[] }): PlacementInput => ({
    self: best,
    now: 0,
    services: [s],
    workers: both.map(one => ({ ...one, services: more.runs?.includes(one.peerId) ? ['s'] : [] })),
    pinned: [],
    forbidden: [],
    current: new Set(),
    memory: NOTHING_YET,
    ...more
  })
  const why = (given: PlacementInput) => {
    const { decisions } = place(given)
    const [{ run, reason } = { run: false, reason: 'none' }] = decisions
    return `${run ? 'run' : 'leave'}: ${reason}`
  }

  it('says who should run a service and why it is run here or not', () => {
    assert.equal(why(input({})), 'run: planned')
    assert.equal(why(input({ self: other })), 'leave: not-planned')
    assert.deepEqual(place(input({})).decisions[0], {
      service: 's',
      run: true,
      reason: 'planned',
      planned: [best],
      wanted: 1,
      running: 0
    })
  })

  it("follows the owner: pinned runs, forbidden doesn't, whatever the plan says", () => {
    assert.equal(why(input({ self: other, pinned: ['s'] })), 'run: pinned')
    assert.equal(why(input({ forbidden: ['s'], current: new Set(['s']) })), 'leave: forbidden')
    assert.equal(why(input({ pinned: ['s'], forbidden: ['s'] })), 'leave: forbidden')
  })

  it('runs a service at a URL wherever it is', () => {
    assert.equal(why(input({ self: other, services: [{ ...s, everywhere: true }] })), 'run: everywhere')
  })

  it('runs a service that is wanted everywhere on all that can, and counts those as wanted', () => {
    const services = [{ ...s, replicas: Number.POSITIVE_INFINITY }]
    for (const self of [best, other]) assert.equal(why(input({ self, services })), 'run: planned')
    assert.equal(place(input({ services })).decisions[0]?.wanted, 2)
  })

  it('leaves what this machine is not for', () => {
    assert.equal(why(input({ workers: [able(best, []), able(other, ['s'])] })), 'leave: not-eligible')
  })

  it('keeps a service until it runs where it should, then a while longer', () => {
    const current = new Set(['s'])
    const first = place(input({ self: other, current, runs: [other] }))
    assert.equal(first.decisions[0]?.reason, 'kept')
    assert.equal(first.memory.superfluous.size, 0)
    const later = place(input({ self: other, current, runs: [best, other], now: 1000, memory: first.memory }))
    assert.equal(later.reviewAt, 1000 + SUPERFLUOUS_PATIENCE)
    const at = (now: number, runs = [best, other]) =>
      why(input({ self: other, current, runs, now, memory: later.memory }))
    assert.equal(at(999 + SUPERFLUOUS_PATIENCE), 'run: kept')
    assert.equal(at(1000 + SUPERFLUOUS_PATIENCE), 'leave: superfluous')
    // The other one failed meanwhile.
    assert.equal(at(1000 + SUPERFLUOUS_PATIENCE, [other]), 'run: kept')
  })

  it('stands in for a worker that does not run what it should', () => {
    const first = place(input({ self: other }))
    assert.equal(first.reviewAt, GAP_PATIENCE)
    const at = (now: number) => why(input({ self: other, now, memory: first.memory }))
    assert.equal(at(GAP_PATIENCE - 1), 'leave: not-planned')
    assert.equal(at(GAP_PATIENCE), 'run: stand-in')
    assert.equal(why(input({ now: GAP_PATIENCE, memory: first.memory })), 'run: planned')
  })

  it('waits for room that a service takes which others should run but do not, and not for ever', () => {
    const tight = { memory: 1000 }
    const needs = { ...s.needs, memory: 700 }
    const mine = service('mine', { replicas: 1, needs })
    const theirs = service('theirs', { replicas: 1, needs })
    const machines = ['p', 'q'].map(name => able(name, ['mine', 'theirs'], tight))
    const plan = makePlan([mine, theirs], machines).chosen
    const self = plan.get('mine')?.[0] ?? ''
    assert.notEqual(plan.get('theirs')?.[0], self)
    const given = (now: number, memory = NOTHING_YET): PlacementInput => ({
      ...input({ self, now, memory, services: [mine, theirs], current: new Set(['theirs']) }),
      workers: machines.map(one => ({ ...one, services: one.peerId === self ? ['theirs'] : [] }))
    })
    const first = place(given(0))
    assert.deepEqual([...first.run], ['theirs'])
    assert.equal(first.decisions.find(one => one.service === 'mine')?.reason, 'no-room')
    assert.deepEqual([...place(given(BLOCKED_PATIENCE - 1, first.memory)).run], ['theirs'])
    assert.deepEqual([...place(given(BLOCKED_PATIENCE, first.memory)).run], ['mine'])
  })

  it('lets go at once of what is superfluous when its room is needed', () => {
    const needs = { ...s.needs, memory: 700 }
    const some = [service('mine', { replicas: 1, needs }), service('theirs', { replicas: 1, needs })]
    const machines = ['p', 'q'].map(name => able(name, ['mine', 'theirs'], { memory: 1000 }))
    const plan = makePlan(some, machines).chosen
    const self = plan.get('mine')?.[0] ?? ''
    const { run } = place({
      ...input({ self, services: some, current: new Set(['theirs']) }),
      workers: machines.map(one => ({ ...one, services: ['theirs'] }))
    })
    assert.deepEqual([...run], ['mine'])
  })
})
