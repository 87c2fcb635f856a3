import assert from 'node:assert/strict'
import type { ServiceContract } from '@hedgerow/protocols/contract'
import type { DispatchRequest } from '@hedgerow/protocols/dispatch'
import { bridging } from '../src/peer/bridge-classes.ts'

describe('a bridge', () => {
  const contract = { name: 'papers', dataClass: 'confidential' } as ServiceContract
  const refusal = { code: 'ClassNotAllowed' }

  it('refuses what is too confidential for it, though it learns that only by looking for the service', async () => {
    const known = new Map<string, ServiceContract>()
    const view = { resolve: (name: string) => known.get(name)?.name, contract: (name: string) => known.get(name) }
    // As dispatch does.
    const dispatch = async (request: Pick<DispatchRequest, 'service' | 'dataClass' | 'check'>): Promise<string> => {
      request.check?.(contract)
      return 'sent'
    }
    assert.equal(await bridging(dispatch, view, ['confidential'])({ service: 'papers' }), 'sent')
    const narrow = bridging(dispatch, view, ['public', 'internal'])
    await assert.rejects(narrow({ service: 'papers' }), refusal)
    known.set('papers', contract)
    await assert.rejects(narrow({ service: 'papers' }), refusal)
    await assert.rejects(narrow({ service: 'others', dataClass: 'confidential' }), refusal)
  })
})
