import assert from 'node:assert/strict'
import { ConfigError, readConfig } from '../src/config.ts'

describe('the settings', () => {
  it('have defaults', () => {
    assert.deepEqual(readConfig({}), { workers: 2, timeLimit: 590_000, requests: 32 })
    assert.deepEqual(readConfig({ OCR_WORKERS: '' }).workers, 2)
  })

  it('are read', () => {
    const env = { OCR_WORKERS: '4', OCR_TIME_LIMIT_S: '30', OCR_REQUESTS: '5' }
    assert.deepEqual(readConfig(env), { workers: 4, timeLimit: 30_000, requests: 5 })
  })

  for (const value of ['0', '65', '1.5', 'two', '-1']) {
    it(`are refused with their name: ${value} workers`, () => {
      assert.throws(
        () => readConfig({ OCR_WORKERS: value }),
        err => err instanceof ConfigError && err.message.startsWith('OCR_WORKERS ')
      )
    })
  }
})
