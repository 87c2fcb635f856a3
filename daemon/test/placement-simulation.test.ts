import assert from 'node:assert/strict'
import type { PlaceableService } from '../src/placement/index.ts'
import { SECOND, SILENT_AFTER, service, World, type WorldInit, worker } from './support/placement-world.ts'
import { seeded } from './support/random.ts'

const MINUTE = 60 * SECOND
const SERVICES: PlaceableService[] = [
  ...['ner-extraction', 'notes-coa', 'document-processing', 'vision-ocr', 'rag-embeddings'].map(name => service(name)),
  service('embeddings', { replicas: 3 }),
  service('llm-inference', { needs: { cores: 2, memory: 4096, disk: 0, gpu: true, gpuMemory: 8000 } })
]

function mesh(seed: number, count: number, more: Partial<WorldInit> = {}): { world: World; random: () => number } {
  const random = seeded(seed)
  const world = new World({ services: SERVICES, random, ...more })
  for (let i = 0; i < count; i++) {
    const gpus = random() < 0.3 || i < 2 ? [{ model: 'T4', memory: 16_000 }] : []
    world.join(
      worker(`worker-${i}`, {
        cores: 2 ** Math.floor(1 + random() * 5),
        memory: 8192 * (1 + Math.floor(random() * 4)),
        gpus
      })
    )
  }
  return { world, random }
}

/** After which everything must have come to rest: silence noticed, started elsewhere, let go of here. */
const REST = 5 * MINUTE

describe('a mesh of workers that each decide for themselves', () => {
  for (let seed = 1; seed <= 5; seed++) {
    it(`comes to the plan and stays there (seed ${seed})`, () => {
      const { world } = mesh(seed, 3 + seed * 2, { loss: 0.1, delay: 5 * SECOND })
      world.run(REST)
      assert.deepEqual(world.layout(), world.ideal())
      const { length: starts } = world.starts
      const { length: stops } = world.stops
      world.run(10 * MINUTE)
      assert.equal(world.starts.length, starts)
      assert.equal(world.stops.length, stops)
    })

    it(`takes a newcomer in without ever running too few (seed ${seed})`, () => {
      const { world } = mesh(seed, 6, { loss: 0.1, delay: 5 * SECOND })
      world.run(REST)
      world.starts = []
      const wanted = new Map(Object.entries(world.ideal()).map(([name, peers]) => [name, peers.length]))
      world.join(worker('newcomer', { cores: 16, gpus: [{ model: 'T4', memory: 16_000 }] }))
      world.run(REST, () => {
        for (const { name } of SERVICES) assert.ok(world.running(name).length >= (wanted.get(name) ?? 0), name)
      })
      assert.deepEqual(world.layout(), world.ideal())
      // What it takes over it starts once. It may start more before it has heard of everybody; the others start nothing.
      assert.ok(world.starts.every(({ peerId }) => peerId === 'newcomer'))
      assert.equal(new Set(world.starts.map(one => one.service)).size, world.starts.length)
    })

    it(`closes the gap that a worker leaves, and moves nothing else (seed ${seed})`, () => {
      const { world, random } = mesh(seed, 10, { delay: 3 * SECOND })
      world.run(REST)
      const leaver = world.peers[Math.floor(random() * world.peers.length)] ?? ''
      const had = world.has(leaver)
      world.starts = []
      world.stops = []
      const goodbye = seed % 2 === 0
      world.leave(leaver, goodbye)
      let closedAt: number | undefined
      const leftAt = world.now
      world.run(REST, () => {
        const ideal = world.ideal()
        const whole = SERVICES.every(({ name }) => world.running(name).length >= (ideal[name]?.length ?? 0))
        closedAt = whole ? (closedAt ?? world.now) : undefined
      })
      assert.deepEqual(world.layout(), world.ideal())
      // Heard of or missed, then started somewhere else.
      const limit = goodbye ? 15 * SECOND : SILENT_AFTER + 15 * SECOND
      assert.ok(closedAt != null && closedAt - leftAt <= limit, `${(closedAt ?? 0) - leftAt} ms`)
      for (const { service: name } of world.starts) assert.ok(had.includes(name), name)
      assert.ok(world.starts.length <= had.length)
      assert.deepEqual(world.stops, [])
    })
  }

  it('bears joins and leaves without end: little moves, nothing flaps, no gap lasts', () => {
    for (let seed = 100; seed < 106; seed++) {
      const { world, random } = mesh(seed, 8, { loss: 0.15, delay: 5 * SECOND })
      world.run(REST)
      world.starts = []
      let gapSince: number | undefined
      let events = 0
      for (let round = 0; round < 10; round++) {
        if (random() < 0.5 || world.peers.length < 6)
          world.join(worker(`late-${seed}-${round}`, { gpus: [{ model: 'T4', memory: 16_000 }] }))
        else world.leave(world.peers[Math.floor(random() * world.peers.length)] ?? '', random() < 0.5)
        events++
        world.run((30 + random() * 120) * SECOND, () => {
          const whole = SERVICES.every(({ name }) => world.running(name).length > 0)
          gapSince = whole ? undefined : (gapSince ?? world.now)
          assert.ok(gapSince == null || world.now - gapSince <= SILENT_AFTER + 30 * SECOND)
        })
      }
      world.run(REST)
      assert.deepEqual(world.layout(), world.ideal())
      // The same service on the same worker is not started over and over.
      const count = new Map<string, number>()
      for (const { peerId, service: name } of world.starts)
        count.set(`${peerId} ${name}`, (count.get(`${peerId} ${name}`) ?? 0) + 1)
      assert.ok(Math.max(...count.values()) <= 3, `${Math.max(...count.values())} starts`)
      assert.ok(world.starts.length <= events * SERVICES.length)
    }
  })

  it('heals after it was cut in two', () => {
    const random = seeded(7)
    const world = new World({ services: SERVICES, random })
    for (let i = 0; i < 6; i++) world.join(worker(`worker-${i}`, { gpus: [{ model: 'T4', memory: 16_000 }] }))
    world.run(REST)
    world.partition(['worker-0', 'worker-1', 'worker-2'])
    world.run(REST)
    for (const { name, replicas } of SERVICES) {
      // Each half offers everything.
      assert.ok(world.running(name).filter(peer => peer < 'worker-3').length >= Math.min(2, replicas), name)
      assert.ok(world.running(name).filter(peer => peer >= 'worker-3').length >= Math.min(2, replicas), name)
    }
    world.partition([])
    world.run(REST, () => {
      for (const { name, replicas } of SERVICES) assert.ok(world.running(name).length >= replicas)
    })
    assert.deepEqual(world.layout(), world.ideal())
  })

  it('has others stand in for a worker that can not start what it should', () => {
    const { world } = mesh(3, 6)
    world.run(REST)
    const [first = ''] = world.ideal()['ner-extraction'] ?? []
    const again = mesh(3, 0).world
    // The same mesh, in which that one is broken.
    const source = mesh(3, 6).world
    for (const peerId of source.peers) again.join(source.describe(peerId), peerId === first ? ['ner-extraction'] : [])
    again.run(REST)
    assert.equal(again.running('ner-extraction').length, 2)
    assert.equal(again.running('ner-extraction').includes(first), false)
    const { length } = again.starts
    again.run(20 * MINUTE)
    assert.equal(again.starts.length, length)
    again.repair(first)
    again.run(REST)
    assert.deepEqual(again.layout(), again.ideal())
  })

  it('fits tight machines without a lasting gap', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = seeded(seed)
      const tight = Array.from({ length: 8 }, (_, i) =>
        service(`s${i}`, { replicas: 2, needs: { cores: 0.5, memory: 500, disk: 0, gpu: false, gpuMemory: 0 } })
      )
      // Room for five on each of four: 20 places for 16 instances.
      const world = new World({ services: tight, random, loss: 0.1 })
      for (let i = 0; i < 4; i++) world.join(worker(`w${i}`, { memory: 3200 }))
      world.run(REST)
      world.join(worker('w4', { memory: 3200 }))
      world.run(REST)
      world.leave('w1', false)
      world.run(2 * REST)
      for (const { name } of tight) assert.equal(world.running(name).length, 2, `seed ${seed} ${name}`)
    }
  })
})
