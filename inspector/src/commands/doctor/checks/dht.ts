import { providerCid } from '@hedgerow/protocols/ids'
import type { Check, Verdict } from '../index.ts'
import { offered } from '../offers.ts'

/** Providers that show enough. */
const ENOUGH = 3

export const dht: Check = {
  id: 'dht',
  title: 'DHT',
  limit: 5000,
  needs: ['join'],
  late: 'peers were met, and none answers for the DHT: look whether the relay runs the same version as its workers',
  async look({ joined }, signal) {
    if (joined == null) throw new Error('it has not joined')
    const { node, view } = joined.peer
    const [service] = offered(view)
    const what = service == null ? 'relay' : (`service:${service}` as const)
    const answered = new Set<string>()
    const providers = new Set<string>()
    for await (const event of node.services.dht.findProviders(await providerCid(what), { signal })) {
      if (event.name !== 'PEER_RESPONSE') continue
      answered.add(event.from.toString())
      for (const { id } of event.providers) providers.add(id.toString())
      if (providers.size >= ENOUGH) break
    }
    return judgeDht({ what: service ?? 'relay', answered: answered.size, providers: providers.size })
  }
}

/** @param answered peers that did @param providers peers that they named */
export function judgeDht({
  what,
  answered,
  providers
}: {
  what: string
  answered: number
  providers: number
}): Verdict {
  if (answered === 0)
    return {
      state: 'wrong',
      found: 'no peer answers for it',
      fix: 'the relay must be a peer of this mesh: compare the mesh that it names with that of its workers'
    }
  const found = `${answered} answered; ${providers === 0 ? 'nobody is' : `${providers} are`} written down as offering ${what}`
  // Records are written within seconds of a start, and last ten minutes.
  return { state: 'well', found: providers === 0 ? `${found} yet` : found }
}
