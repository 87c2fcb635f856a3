import assert from 'node:assert/strict'
import { ConfigError } from '../src/config/index.ts'
import { namedServices } from '../src/services/index.ts'

describe('services that a setting names', () => {
  const contracts = [
    { name: 'ner-extraction', aliases: ['ner'] },
    { name: 'notes-coa', aliases: ['notes', 'coa'] }
  ]
  const named = (...given: string[]): string[] => namedServices('HEDGEROW_SERVICES', given, contracts)

  it('may be given by name or alias', () => {
    assert.deepEqual(named('ner', 'notes-coa'), ['ner-extraction', 'notes-coa'])
    assert.deepEqual(named('*'), ['*'])
    assert.deepEqual(named(), [])
  })

  it('must exist', () => {
    assert.throws(
      () => named('ner', 'nots'),
      (err: unknown) => err instanceof ConfigError && err.setting === 'HEDGEROW_SERVICES' && /notes/.test(err.message)
    )
    assert.throws(() => named('zebra'), /ner-extraction, notes-coa/)
  })

  it('may be in a manifest that has mistakes, which is named once', () => {
    const files = ['a/hedgerow.service.yaml', 'a/hedgerow.service.yaml']
    const naming = (one: string) => () => namedServices('HEDGEROW_SERVICES', [one], contracts, files)
    assert.throws(naming('a'), /have mistakes: a\/hedgerow\.service\.yaml$/)
    assert.doesNotThrow(naming('ner'))
  })
})
