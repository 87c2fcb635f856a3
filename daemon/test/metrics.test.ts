import assert from 'node:assert/strict'
import { outcomeOf, statusClassOf } from '../src/metrics/outcome.ts'
import { MAX_SERVICE_LABELS, OTHER, ServiceLabels } from '../src/metrics/service-labels.ts'

/** A view in which these names are offered, and those are known without anybody who offers them. */
function viewOf({ offered = [], remembered = [] }: { offered?: string[]; remembered?: string[] }) {
  const aliases: Record<string, string> = { ner: 'ner-extraction' }
  return {
    resolve: (name: string) => {
      const whole = aliases[name] ?? name
      return [...offered, ...remembered].includes(whole) ? whole : undefined
    },
    candidates: (name: string) => (offered.includes(name) ? [{} as never] : [])
  }
}

describe('labels of metrics', () => {
  it('name a service as it is called, whatever alias it was asked for by', () => {
    const labels = new ServiceLabels(['ner-extraction'], viewOf({ remembered: ['ner-extraction'] }))
    assert.equal(labels.of('ner'), 'ner-extraction')
    assert.deepEqual([...labels.names()], ['ner-extraction'])
  })

  it('take nothing that a caller makes up', () => {
    const labels = new ServiceLabels(['ner-extraction'], viewOf({}))
    const seen = new Set(Array.from({ length: 1000 }, (_, i) => labels.of(`made-up-${i}`)))
    assert.deepEqual([...seen], [OTHER])
    assert.deepEqual([...labels.names()], ['ner-extraction'])
  })

  it('take names that workers bring up to a bound, and keep those that ship apart from it', () => {
    const offered = Array.from({ length: 1000 }, (_, i) => `brought-${i}`)
    const labels = new ServiceLabels(['own'], viewOf({ offered, remembered: ['own', 'gone'] }))
    const seen = new Set(offered.map(name => labels.of(name)))
    assert.equal(seen.size, MAX_SERVICE_LABELS + 1)
    assert.equal(labels.of('own'), 'own')
    assert.equal(labels.of('gone'), OTHER)
    assert.equal(labels.of('brought-0'), 'brought-0', 'a label stays one')
  })

  it('sort answers by whose fault they are', () => {
    const outcomes = [200, 302, 400, 404, 429, 499, 500, 504].map(outcomeOf)
    assert.deepEqual(outcomes, [...['answered', 'answered', 'refused', 'refused', 'busy', 'gone', 'failed', 'failed']])
    assert.deepEqual([100, 204, 599, 999].map(statusClassOf), ['1xx', '2xx', '5xx', 'other'])
  })
})
