import assert from 'node:assert/strict'
import { readRelaySettings } from '../src/settings.ts'

describe('the settings of a relay', () => {
  const read = (...args: string[]): ReturnType<typeof readRelaySettings> =>
    readRelaySettings(['node', 'hedgerow-relay', ...args], '1')
  const URL = ['--url', 'https://relay.example.org']
  const TOKEN = ['--edge-token', 'a secret']

  it('name an edge with its secret, and where this relay is', () => {
    const { edge, edgeToken } = read(...URL, ...TOKEN, '--edge', 'https://edge.example.org/')
    assert.equal(edge, 'https://edge.example.org')
    assert.equal(edgeToken, 'a secret')
    assert.equal(read().edge, undefined)
  })

  it('say what is missing or unsafe', () => {
    const setting = (...args: string[]): unknown => {
      try {
        return read(...args)
      } catch (err) {
        return err instanceof Error && 'setting' in err ? err.setting : err
      }
    }
    assert.equal(setting(...URL, '--edge', 'https://edge.example.org'), 'HEDGEROW_EDGE_TOKEN')
    assert.equal(setting(...TOKEN, '--edge', 'https://edge.example.org'), 'HEDGEROW_EDGE')
    assert.equal(setting(...URL, ...TOKEN, '--edge', 'http://edge.example.org'), '--edge')
    assert.equal(setting(...URL, ...TOKEN, '--edge', 'edge'), '--edge')
    assert.equal(read(...URL, ...TOKEN, '--edge', 'http://127.0.0.1:8787').edge, 'http://127.0.0.1:8787')
  })
})
