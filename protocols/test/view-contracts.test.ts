import assert from 'node:assert/strict'
import { compareVersions, newestContract } from '../src/view/contracts.ts'
import { contract } from './support/samples.ts'

describe('order of versions', () => {
  const older: Array<[string, string]> = [
    ['0.9.0', '0.10.0'],
    ['1.2.3', '2.0.0'],
    ['1.0', '1.0.1'],
    ['1.0.0-alpha', '1.0.0'],
    ['1.0.0-alpha', '1.0.0-alpha.1'],
    ['1.0.0-alpha.2', '1.0.0-alpha.10'],
    ['1.0.0-1', '1.0.0-alpha'],
    ['1.0.0-alpha', '1.0.0-beta'],
    ['', '0.0.1']
  ]
  for (const [a, b] of older) {
    it(`has ${a || 'nothing'} before ${b}`, () => {
      assert.ok(compareVersions(a, b) < 0)
      assert.ok(compareVersions(b, a) > 0)
    })
  }

  it('takes no notice of build metadata', () => {
    assert.equal(compareVersions('1.0.0+linux', '1.0.0+mac'), 0)
  })

  it('prefers the first of equals', () => {
    const contracts = [contract({ title: 'first' }), contract({ title: 'second' }), contract({ version: '0.9.0' })]
    assert.equal(newestContract(contracts)?.title, 'first')
    assert.equal(newestContract([]), undefined)
  })
})
