import assert from 'node:assert/strict'
import { createLedger } from '@hedgerow/protocols/ledger'
import { openTrust } from '@hedgerow/protocols/membership'
import { createView } from '@hedgerow/protocols/view'
import Fastify from 'fastify'
import { eventRoutes, KEEPALIVE_INTERVAL } from '../src/api/events.ts'

describe('an event stream on which nothing happens', () => {
  it('says so before proxies cut it', async () => {
    assert.ok(KEEPALIVE_INTERVAL < 60_000)
    const app = Fastify()
    const ledger = createLedger({ mesh: 'test', view: createView({ now: () => performance.now() }) })
    await app.register(eventRoutes({ ledger, trust: openTrust('test'), isGone: () => false, keepaliveInterval: 10 }))
    const leave = new AbortController()
    try {
      const url = await app.listen({ port: 0, host: '127.0.0.1' })
      const { body } = await fetch(`${url}/events`, { signal: leave.signal })
      let text = ''
      for await (const chunk of body ?? []) {
        text += Buffer.from(chunk).toString()
        if (text.split(': still here\n\n').length > 3) break
      }
      assert.match(text, /^event: caught-up\ndata: 0\n\n(: still here\n\n){3}/)
    } finally {
      leave.abort()
      await app.close()
    }
  })
})
