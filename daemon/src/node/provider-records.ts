/** Bounds what peers have this one keep of who provides what: kad-dht keeps all that any member says, for ten minutes. */
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { MAX_PROVIDER_ADDRS, MAX_PROVIDER_RECORDS, MAX_RECORDS_PER_PROVIDER } from './constants.ts'
import { overriding } from './overriding.ts'

type Parts = Pick<KadDHTComponents, 'datastore' | 'peerStore'>
type Datastore = Parts['datastore']
type PeerStore = Parts['peerStore']

/** Of kad-dht's keys, `/dht/provider/<hash>/<peer id>`. */
const PROVIDER = /^\/dht\/provider\/[^/]+\/([^/]+)$/

/**
 * The components of a DHT, of which the datastore takes so many records of one provider and so many in all, and no more
 * of who may not provide anything; and of which the peer store doesn't gather addresses without end.
 *
 * @param mayProvide whether a peer may say that it provides something
 */
export function boundRecords<C extends Parts>(components: C, mayProvide: (peerId: string) => boolean): C {
  const datastore = boundDatastore(components.datastore, mayProvide)
  const peerStore = boundAddrs(components.peerStore)
  return new Proxy(components, {
    get: (target, property) =>
      property === 'datastore' ? datastore : property === 'peerStore' ? peerStore : Reflect.get(target, property)
  })
}

function boundDatastore(real: Datastore, mayProvide: (peerId: string) => boolean): Datastore {
  const kept = new Map<string, Set<string>>()
  let count = 0
  const put: Datastore['put'] = (key, value, options) => {
    const name = key.toString()
    const provider = PROVIDER.exec(name)?.[1]
    if (provider == null) return real.put(key, value, options)
    const own = kept.get(provider) ?? new Set()
    if (!own.has(name)) {
      if (!mayProvide(provider) || own.size >= MAX_RECORDS_PER_PROVIDER || count >= MAX_PROVIDER_RECORDS) return key
      own.add(name)
      kept.set(provider, own)
      count++
    }
    return real.put(key, value, options)
  }
  const remove: Datastore['delete'] = (key, options) => {
    const name = key.toString()
    const provider = PROVIDER.exec(name)?.[1]
    const own = provider == null ? undefined : kept.get(provider)
    if (provider != null && own?.delete(name) === true) {
      count--
      if (own.size === 0) kept.delete(provider)
    }
    return real.delete(key, options)
  }
  return overriding(real, { put, delete: remove })
}

/** A provider's record brings addresses, which are added to those known: as many as it likes, each time others. */
function boundAddrs(real: PeerStore): PeerStore {
  const merge: PeerStore['merge'] = async (peer, { multiaddrs, ...data }, options) => {
    if (multiaddrs == null) return real.merge(peer, data, options)
    const few = multiaddrs.slice(0, MAX_PROVIDER_ADDRS)
    const known = await real.get(peer, options).catch(() => undefined)
    if ((known?.addresses.length ?? 0) + few.length <= 2 * MAX_PROVIDER_ADDRS)
      return real.merge(peer, { ...data, multiaddrs: few }, options)
    if (Object.keys(data).length > 0) await real.merge(peer, data, options)
    return real.patch(peer, { multiaddrs: few }, options)
  }
  return overriding(real, { merge })
}
