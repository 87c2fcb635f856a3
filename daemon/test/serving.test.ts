import assert from 'node:assert/strict'
import type { ServiceContract } from '@hedgerow/protocols/contract'
import { MeshError } from '@hedgerow/protocols/errors'
import type { Headers } from '@hedgerow/protocols/invocation'
import type { Member, MemberRole } from '@hedgerow/protocols/membership'
import { clientRights } from '../src/peer/member.ts'
import { serveConnections } from '../src/serving/connections.ts'
import { ContextTable, createServing, type ServingComponents } from '../src/serving/index.ts'

const contract: ServiceContract = {
  name: 'lab',
  version: '1.0.0',
  title: '',
  aliases: [],
  protocol: 'http',
  tier: 'cpu',
  replicas: 1,
  concurrency: 1,
  operations: [
    {
      method: 'GET',
      path: '/',
      main: true,
      idempotent: true,
      internal: false,
      firstByteTimeout: 1000,
      chunkTimeout: 1000,
      bodyLimit: 0
    }
  ]
}

function member(roles: MemberRole[], services: string[]): Member {
  const credential = {
    id: 'x',
    issuer: 'authority',
    subject: 'p',
    mesh: 'm',
    roles,
    services,
    classes: [],
    issuedAt: 0,
    notBefore: 0,
    expiresAt: Infinity
  }
  return { peerId: 'p', credential, chain: [credential], expiresAt: Infinity }
}

const COMPONENTS = {
  contexts: new ContextTable(),
  rights: () => ({ services: ['*'], classes: ['public', 'internal'] }),
  callerRights: () => undefined,
  callerClasses: () => ['public', 'internal'],
  draining: () => false,
  vouches: () => true,
  mayActFor: () => false
}

function serving(init: Partial<ServingComponents>, invoked: Array<Headers | undefined> = []) {
  return createServing({
    services: {
      get: () => ({
        contract,
        connect: async () => {
          throw new Error('nobody connects here')
        },
        invoke: async ({ stamp }) => {
          invoked.push(stamp)
          return {
            status: 200,
            headers: {},
            body: (async function* () {})(),
            complete: new Uint8Array(),
            timing: { queue: 0, backend: 0 }
          }
        }
      })
    },
    ...COMPONENTS,
    contexts: new ContextTable(),
    ...init
  })
}

describe('serving connections', () => {
  it('opens a service to who may see what it holds, for it is told of no caller', async () => {
    const open = (classes: string[]) => {
      const { connect } = serveConnections({
        ...COMPONENTS,
        services: {
          get: () => ({
            contract: { ...contract, protocol: 'tcp', dataClass: 'internal' },
            connect: async () => {
              throw new MeshError('Busy', 'it was asked')
            },
            invoke: () => Promise.reject(new Error('nobody asks here'))
          })
        },
        callerClasses: () => classes
      })
      return connect('p', { service: 'lab', requestId: 'r' }, AbortSignal.timeout(1000))
    }
    await assert.rejects(open(['public']), { code: 'ClassNotAllowed' })
    await assert.rejects(open([]), { code: 'ClassNotAllowed' })
    await assert.rejects(open(['internal']), { code: 'Busy' })
    await assert.rejects(open(['confidential']), { code: 'Busy' })
  })
})

describe('serving', () => {
  const request = { method: 'GET', path: '/service/lab', headers: {}, body: null }
  const statusFor = async (who: Member | undefined): Promise<number> => {
    const { invoke } = serving({ callerRights: () => clientRights(who) })
    const { status } = await invoke('p', request, { signal: AbortSignal.timeout(1000) })
    return status
  }

  it('lets clients ask for what their credential names, and workers and relays for everything', async () => {
    assert.equal(await statusFor(member(['client'], ['lab'])), 200)
    assert.equal(await statusFor(member(['client'], ['other'])), 403)
    assert.equal(await statusFor(member([], ['other'])), 403)
    assert.equal(await statusFor(member(['worker'], ['other'])), 200)
    assert.equal(await statusFor(member(['relay'], [])), 200)
  })

  it('lets nobody ask for anything who is no member any more, and whose stream is still open', async () => {
    assert.equal(await statusFor(undefined), 403)
  })

  it('gives no instance what its worker may not see, whatever this one may', async () => {
    const statusFor = async (classes: string[], said: Record<string, string>): Promise<number> => {
      const { invoke } = serving({
        rights: () => ({ services: ['*'], classes: ['confidential'] }),
        callerClasses: () => classes,
        mayActFor: () => true
      })
      const { status } = await invoke('p', { ...request, headers: said }, { signal: AbortSignal.timeout(1000) })
      return status
    }
    const instance = { 'hedgerow-caller': 'service/lab', 'hedgerow-data-class': 'confidential' }
    assert.equal(await statusFor(['internal'], instance), 403)
    assert.equal(await statusFor(['confidential'], instance), 200)
    // Whoever sends what is its own has seen it.
    assert.equal(await statusFor(['internal'], { 'hedgerow-data-class': 'confidential' }), 200)
  })

  it('tells the backend what its caller may see: as the connection proves, and never more than was said', async () => {
    const seen = async (classes: string[], said?: string): Promise<unknown> => {
      const invoked: Array<Headers | undefined> = []
      const { invoke } = serving({ callerClasses: () => classes }, invoked)
      const headers = said == null ? {} : { 'hedgerow-caller-classes': said }
      await invoke('p', { ...request, headers }, { signal: AbortSignal.timeout(1000) })
      return invoked[0]?.['hedgerow-caller-classes']
    }
    assert.equal(await seen(['public', 'internal']), 'public,internal')
    assert.equal(await seen(['internal'], 'confidential'), 'internal')
    assert.equal(await seen(['confidential', 'medical'], 'internal,medical'), 'medical,internal')
    assert.equal(await seen(['confidential'], ''), '')
  })

  it('refuses who asks too often, and keeps no account of that', async () => {
    let left = 2
    let accounted = 0
    const { invoke } = serving({ mayAsk: () => left-- > 0, onServed: () => accounted++ })
    const statuses: number[] = []
    for (let i = 0; i < 4; i++)
      statuses.push((await invoke('p', request, { signal: AbortSignal.timeout(1000) })).status)
    assert.deepEqual(statuses, [200, 200, 429, 429])
    assert.equal(accounted, 2)
  })
})
