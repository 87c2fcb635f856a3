import { createGate } from '@hedgerow/protocols/gate'
import { raceSignal } from 'race-signal'
import { type Bootstrap, fetchBootstrap } from './bootstrap.ts'
import { SNAPSHOT_TIMEOUT } from './constants.ts'
import type { Mesh, MeshInit } from './index.ts'
import { PageMembership } from './membership.ts'
import { PageMesh } from './mesh.ts'
import { createNode, loadKey } from './node.ts'

export async function join(init: MeshInit): Promise<Mesh> {
  const { signal } = init
  const relays = originsOf(init.relays)
  signal?.throwIfAborted()
  // Once one relay has answered, what the others say of themselves is asked when they are dialled.
  const enough = new AbortController()
  const asked = signal == null ? enough.signal : AbortSignal.any([signal, enough.signal])
  const asks = relays.map(url => fetchBootstrap(url, asked))
  const [first, privateKey] = await Promise.all([firstOf(asks), loadKey(init.storage)])
    .catch(err => {
      signal?.throwIfAborted()
      throw err
    })
    .finally(() => enough.abort())
  const membership = await PageMembership.of(first, privateKey, {
    ...init,
    relays: [first.url, ...without(relays, first.url)]
  })
  const gate = createGate({
    trust: membership.trust,
    onRefusal: ({ by }) => {
      if (by === 'them') membership.renew()
    }
  })
  membership.onCredential = () => gate.renew()
  const [node] = await Promise.all([
    createNode({ privateKey, gate, iceServers: first.iceServers }),
    membership.start(signal)
  ])
  const mesh = new PageMesh({ node, gate, membership }, [first], { ...init, relays })
  // Requests can be sent at once, over a bridge at the least; but who asks at once shouldn't find an empty mesh.
  const ready = Promise.race([mesh.caughtUp, new Promise<void>(resolve => setTimeout(resolve, SNAPSHOT_TIMEOUT))])
  try {
    await raceSignal(ready, signal)
  } catch {
    await mesh.stop()
  }
  signal?.throwIfAborted()
  mesh.leaveOn(signal)
  return mesh
}

function without(all: string[], one: string): string[] {
  return all.filter(other => other !== one)
}

async function firstOf(asks: Array<Promise<Bootstrap>>): Promise<Bootstrap> {
  try {
    return await Promise.any(asks)
  } catch (err) {
    const reasons = err instanceof AggregateError ? err.errors.map(cause => (cause as Error).message) : [String(err)]
    throw new TypeError(`no relay answers: ${reasons.join('; ')}`, { cause: err })
  }
}

function originsOf(urls: string[]): string[] {
  if (!Array.isArray(urls) || urls.length === 0)
    throw new TypeError("relays: name at least one relay's web address, as in ['https://relay.example.org']")
  return [...new Set(urls)].map(text => {
    const url = URL.parse(text, globalThis.location?.href)
    if (url == null || !/^https?:$/.test(url.protocol))
      throw new TypeError(`relays: ${JSON.stringify(text)} is not a web address (https://…)`)
    return url.origin
  })
}
