import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ADVERT_LIFETIME, type Advert, type Goodbye } from '../src/advert/index.ts'
import type { LoadReport } from '../src/load/index.ts'
import { GONE_MEMORY, SERVICE_MEMORY, SILENT_GRACE } from '../src/view/constants.ts'
import { createView, type View, type ViewChange } from '../src/view/index.ts'
import { advert, contract, load, operation } from './support/samples.ts'

const MINUTE = 60_000
const ids = (view: View, service = 'ner'): string[] => view.candidates(service).map(({ peerId }) => peerId)

describe('view', () => {
  let now: number
  let view: View

  beforeEach(() => {
    now = 1_000_000
    view = createView({ now: () => now })
  })

  describe('adverts and goodbyes', () => {
    it('believes the greater sequence, and says what was news', () => {
      assert.equal(view.learnAdvert(advert({ sequence: 2n, name: 'second' })), true)
      assert.equal(view.learnAdvert(advert({ sequence: 2n, name: 'again' })), false)
      assert.equal(view.learnAdvert(advert({ sequence: 1n, name: 'first' })), false)
      assert.equal(view.peer('a')?.advert.name, 'second')
      assert.equal(view.learnAdvert(advert({ sequence: 3n, name: 'third' })), true)
      assert.equal(view.peer('a')?.advert.name, 'third')
    })

    it('drops a service that a newer advert does not offer', () => {
      view.learnAdvert(advert({ sequence: 1n, services: [contract(), contract({ name: 'ocr' })] }))
      view.learnAdvert(advert({ sequence: 2n, services: [contract({ name: 'ocr' })] }))
      assert.deepEqual(ids(view, 'ner'), [])
      assert.deepEqual(ids(view, 'ocr'), ['a'])
    })

    it('forgets an advert an hour after it arrived, and not earlier', () => {
      view.learnAdvert(advert())
      now += ADVERT_LIFETIME - 1
      assert.deepEqual(ids(view), ['a'])
      now += 1
      assert.deepEqual(ids(view), [])
      assert.equal(view.peer('a'), undefined)
      assert.deepEqual([...view.peers()], [])
    })

    it('gives an expired advert no second life, however often it is heard', () => {
      view.learnAdvert(advert({ sequence: 5n }))
      now += ADVERT_LIFETIME
      view.sweep()
      assert.equal(view.learnAdvert(advert({ sequence: 5n })), false)
      assert.equal(view.learnAdvert(advert({ sequence: 6n })), true)
    })

    it('takes a peer out at its goodbye, at once', () => {
      view.learnAdvert(advert({ sequence: 5n }))
      assert.equal(view.learnGoodbye({ peerId: 'a', sequence: 6n }), true)
      assert.deepEqual(ids(view), [])
      assert.equal(view.learnGoodbye({ peerId: 'a', sequence: 6n }), false)
    })

    it('lets a goodbye outrank adverts that are older, also those that come later', () => {
      view.learnGoodbye({ peerId: 'a', sequence: 6n })
      assert.equal(view.learnAdvert(advert({ sequence: 5n })), false)
      assert.equal(view.learnAdvert(advert({ sequence: 7n })), true)
      assert.equal(view.learnGoodbye({ peerId: 'a', sequence: 6n }), false)
      assert.deepEqual(ids(view), ['a'])
    })

    it('forgets in the end who left', () => {
      view.learnGoodbye({ peerId: 'a', sequence: 6n })
      now += GONE_MEMORY
      view.sweep()
      assert.equal(view.learnAdvert(advert({ sequence: 5n })), true)
    })

    it('comes to the same picture in whichever order statements arrive', () => {
      const peerId = fc.constantFrom('a', 'b', 'c')
      const sequence = fc.bigInt({ min: 1n, max: 8n })
      const service = fc.constantFrom('ner', 'ocr', 'rag')
      // What a peer says with one sequence number it says once: its content follows from the number.
      const adverts = fc.tuple(peerId, sequence).map(([peerId, sequence]) => {
        const names = ['ner', 'ocr', 'rag'].filter((_, i) => ((sequence >> BigInt(i)) & 1n) === 1n)
        const services = names.map(name => contract({ name, version: `1.${sequence}.0` }))
        return { type: 'advert' as const, advert: advert({ peerId, sequence: sequence * 2n, services }) }
      })
      const goodbyes = fc
        .tuple(peerId, sequence)
        .map(([peerId, sequence]) => ({ type: 'goodbye' as const, goodbye: { peerId, sequence: sequence * 2n + 1n } }))
      const loads = fc.tuple(peerId, service, sequence).map(([peerId, service, sequence]) => ({
        type: 'load' as const,
        report: load({ peerId, service, sequence, inFlight: Number(sequence) })
      }))
      const statements = fc.array(fc.oneof(adverts, goodbyes, loads), { maxLength: 30 })
      fc.assert(
        fc.property(
          statements.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
          ([one, other]) => assert.deepEqual(picture(one), picture(other))
        ),
        { numRuns: 500 }
      )

      type Statement =
        | { type: 'advert'; advert: Advert }
        | { type: 'goodbye'; goodbye: Goodbye }
        | { type: 'load'; report: LoadReport }
      function picture(statements: Statement[]): unknown {
        const view = createView({ now: () => 0 })
        for (const statement of statements) {
          if (statement.type === 'advert') view.learnAdvert(statement.advert)
          else if (statement.type === 'goodbye') view.learnGoodbye(statement.goodbye)
          else view.learnLoad(statement.report)
        }
        return ['ner', 'ocr', 'rag'].map(name => [
          view.candidates(name).toSorted((a, b) => a.peerId.localeCompare(b.peerId)),
          ids(view, name).length === 0 ? undefined : view.contract(name)?.version
        ])
      }
    })
  })

  describe('load reports', () => {
    it('puts the newest beside the worker, also one that came before the advert', () => {
      view.learnLoad(load({ sequence: 2n, inFlight: 2 }))
      now += 10
      view.learnAdvert(advert())
      const [candidate] = view.candidates('ner')
      assert.equal(candidate?.load?.inFlight, 2)
      assert.equal(candidate?.loadAt, now - 10)
      assert.equal(view.learnLoad(load({ sequence: 1n, inFlight: 1 })), false)
      assert.equal(view.learnLoad(load({ sequence: 3n, inFlight: 3 })), true)
      assert.equal(view.candidates('ner')[0]?.load?.inFlight, 3)
      assert.equal(view.peer('a')?.loads.get('ner')?.report.inFlight, 3)
    })

    it('calls a worker silent that missed three of its announced intervals, until it is heard again', () => {
      view.learnAdvert(advert())
      now += SILENT_GRACE
      view.learnLoad(load({ interval: 2000 }))
      now += 6999
      assert.equal(view.candidates('ner')[0]?.silent, false)
      now += 1
      assert.equal(view.candidates('ner')[0]?.silent, true)
      assert.equal(view.peer('a')?.silent, true)
      view.learnLoad(load({ sequence: 2n }))
      assert.equal(view.candidates('ner')[0]?.silent, false)
    })

    it('gives a worker ten seconds from its advert for its first report', () => {
      view.learnAdvert(advert())
      now += 9999
      assert.equal(view.candidates('ner')[0]?.silent, false)
      now += 1
      assert.equal(view.candidates('ner')[0]?.silent, true)
    })

    it('does not call a peer silent that offers nothing', () => {
      view.learnAdvert(advert({ role: 'relay', services: [] }))
      now += MINUTE
      assert.equal(view.peer('a')?.silent, false)
    })
  })

  describe('names', () => {
    it('knows a service for a day after its last worker went', () => {
      view.learnAdvert(advert({ services: [contract({ aliases: ['names'] })] }))
      view.learnGoodbye({ peerId: 'a', sequence: 2n })
      now += SERVICE_MEMORY - 1
      view.sweep()
      assert.equal(view.resolve('ner'), 'ner')
      assert.equal(view.resolve('names'), 'ner')
      assert.equal(view.contract('ner')?.name, 'ner')
      now += 1
      assert.equal(view.resolve('ner'), undefined)
      assert.equal(view.resolve('names'), undefined)
      view.sweep()
      assert.deepEqual([...view.services()], [])
    })

    it('knows what ships with it for ever, with or without a worker', () => {
      view.learnContract(contract({ name: 'ner-extraction', aliases: ['ner'] }))
      now += 2 * SERVICE_MEMORY
      view.sweep()
      assert.equal(view.resolve('ner'), 'ner-extraction')
      assert.deepEqual(view.candidates('ner-extraction'), [])
      assert.deepEqual(
        [...view.services()].map(({ name }) => name),
        ['ner-extraction']
      )
    })

    it('means by a shipped name or alias what ships with it, whoever else claims it', () => {
      view.learnAdvert(
        advert({
          peerId: 'stranger',
          services: [contract({ name: 'ner' }), contract({ name: 'x', aliases: ['ocr', 'vision-ocr'] })]
        })
      )
      view.learnContract(contract({ name: 'ner-extraction', aliases: ['ner'] }))
      view.learnContract(contract({ name: 'vision-ocr', aliases: ['ocr'] }))
      assert.equal(view.resolve('ner'), 'ner-extraction')
      assert.equal(view.resolve('ocr'), 'vision-ocr')
      assert.equal(view.resolve('vision-ocr'), 'vision-ocr')
    })

    it('gives an alias that two services claim to the one that was seen first', () => {
      view.learnAdvert(advert({ peerId: 'a', services: [contract({ name: 'one', aliases: ['it'] })] }))
      view.learnAdvert(advert({ peerId: 'b', services: [contract({ name: 'two', aliases: ['it', 'one'] })] }))
      assert.equal(view.resolve('it'), 'one')
      assert.equal(view.resolve('one'), 'one')
    })

    it('follows a service that changes its aliases', () => {
      view.learnAdvert(advert({ sequence: 1n, services: [contract({ aliases: ['old'] })] }))
      assert.equal(view.resolve('old'), 'ner')
      view.learnAdvert(advert({ sequence: 2n, services: [contract({ aliases: ['new'] })] }))
      assert.equal(view.resolve('old'), undefined)
      assert.equal(view.resolve('new'), 'ner')
    })
  })

  describe('contracts', () => {
    it('takes the newest that is advertised', () => {
      view.learnAdvert(advert({ peerId: 'a', services: [contract({ version: '1.10.0' })] }))
      view.learnAdvert(advert({ peerId: 'b', services: [contract({ version: '1.9.0' })] }))
      assert.equal(view.contract('ner')?.version, '1.10.0')
      view.learnGoodbye({ peerId: 'a', sequence: 2n })
      assert.equal(view.contract('ner')?.version, '1.9.0')
    })

    it('has the strictest class of data that a worker says which may see it, whatever the newest says', () => {
      const classOf = (): string | undefined => view.contract('ner')?.dataClass
      const all = ['public', 'internal', 'confidential']
      view.learnAdvert(advert({ peerId: 'a', services: [contract({ dataClass: 'confidential' })] }), all)
      view.learnAdvert(advert({ peerId: 'b', services: [contract({ version: '99.0.0' })] }), ['internal'])
      assert.equal(view.contract('ner')?.version, '99.0.0')
      assert.equal(classOf(), 'confidential')
      view.learnGoodbye({ peerId: 'a', sequence: 2n })
      assert.equal(classOf(), undefined)
      view.learnAdvert(advert({ peerId: 'c', services: [contract({ dataClass: 'confidential' })] }), ['internal'])
      assert.equal(classOf(), undefined, 'who may not see it keeps nobody from a service by it')
    })

    it('lets nobody change what ships with it, only add operations to it', () => {
      const shipped = operation({ idempotent: false, internal: true, path: '/sync', method: 'POST' })
      view.learnContract(contract({ operations: [shipped] }))
      const claimed = [operation({ ...shipped, idempotent: true, internal: false }), operation({ path: '/new' })]
      view.learnAdvert(advert({ services: [contract({ version: '99.0.0', operations: claimed, stateKey: 'mine' })] }))
      const { operations, version, stateKey } = view.contract('ner') ?? contract()
      assert.deepEqual(operations, [shipped, claimed[1]])
      assert.equal(version, '1.0.0')
      assert.equal(stateKey, undefined)
    })
  })

  describe('bounds', () => {
    it('keeps so many peers, and lets those go that were heard of longest ago', () => {
      view = createView({ now: () => now, maxPeers: 3 })
      for (const peerId of ['a', 'b', 'c']) {
        view.learnAdvert(advert({ peerId }))
        now += 1000
      }
      view.learnLoad(load({ peerId: 'a' }))
      now += 1000
      const changes: ViewChange[] = []
      view.addListener(change => changes.push(change))
      view.learnAdvert(advert({ peerId: 'd' }))
      assert.deepEqual(ids(view).toSorted(), ['a', 'c', 'd'])
      assert.deepEqual(changes, [
        { type: 'gone', peerId: 'b' },
        { type: 'peer', peerId: 'd' }
      ])
      // It didn't leave: it may come back as it was.
      assert.equal(view.learnAdvert(advert({ peerId: 'b' })), true)
    })

    it('keeps reports and departures of no more peers than that either', () => {
      view = createView({ now: () => now, maxPeers: 2 })
      for (const peerId of ['a', 'b', 'c']) {
        view.learnLoad(load({ peerId }))
        view.learnGoodbye({ peerId, sequence: 9n })
        now += 1
      }
      assert.equal(view.learnLoad(load({ peerId: 'c' })), false)
      assert.equal(view.learnLoad(load({ peerId: 'a' })), true, 'forgotten, so it is news')
      assert.equal(view.learnAdvert(advert({ peerId: 'c' })), false)
      assert.equal(view.learnAdvert(advert({ peerId: 'a' })), true, 'forgotten, so it is news')
    })

    it('makes room for a new service name only where nobody offers the old one', () => {
      const names = (peer: number): ReturnType<typeof contract>[] =>
        Array.from({ length: 64 }, (_, i) => contract({ name: `s-${peer}-${i}` }))
      for (let peer = 0; peer < 160; peer++) view.learnAdvert(advert({ peerId: `p${peer}`, services: names(peer) }))
      assert.equal([...view.services()].length, 10_000)
      assert.equal(view.resolve('s-159-63'), undefined, 'there was no room')
      view.learnGoodbye({ peerId: 'p0', sequence: 2n })
      view.learnAdvert(advert({ peerId: 'late', services: [contract({ name: 'late' })] }))
      assert.equal(view.resolve('late'), 'late')
      assert.equal([...view.services()].length, 10_000)
    })
  })

  it('tells listeners what changed until they leave', () => {
    const changes: ViewChange[] = []
    const leave = view.addListener(change => changes.push(change))
    view.learnAdvert(advert())
    view.learnLoad(load())
    view.learnLoad(load())
    view.learnGoodbye({ peerId: 'a', sequence: 2n })
    leave()
    view.learnAdvert(advert({ sequence: 3n }))
    assert.deepEqual(changes, [
      { type: 'peer', peerId: 'a' },
      { type: 'load', peerId: 'a', service: 'ner' },
      { type: 'gone', peerId: 'a' }
    ])
  })

  it('answers with the same list until something about the service changes', () => {
    view.learnAdvert(advert())
    const first = view.candidates('ner')
    view.learnAdvert(advert({ peerId: 'b', services: [contract({ name: 'ocr' })] }))
    assert.equal(view.candidates('ner'), first)
    view.learnLoad(load())
    assert.notEqual(view.candidates('ner'), first)
  })
})
