import type { Finder } from '@hedgerow/protocols/dispatch'
import type { View } from '@hedgerow/protocols/view'
import type { Directory } from './directory.ts'

export interface FinderComponents {
  directory: Directory
  view: View
  /** this peer's own id: not to be looked up */
  self: string
}

/** Asks the DHT who provides a service and learns their adverts: in parallel, and done as soon as one is usable. */
export function createFinder({ directory, view, self }: FinderComponents): Finder {
  return {
    async find(service, signal) {
      const walk = new AbortController()
      const lookups: Array<Promise<boolean>> = []
      const all = AbortSignal.any([signal, walk.signal])
      const offers = (peerId: string): boolean =>
        view.peer(peerId)?.advert.services.some(({ contract }) => contract.name === service) === true
      const first = Promise.withResolvers<boolean>()
      const run = async (): Promise<void> => {
        for await (const provider of directory.providers(`service:${service}`, all)) {
          const peerId = provider.id.toString()
          if (peerId === self) continue
          const lookup = offers(peerId)
            ? Promise.resolve(true)
            : directory.fetchAdvert(peerId, all).then(() => offers(peerId))
          lookups.push(lookup)
          void lookup.then(usable => usable && first.resolve(true))
        }
        first.resolve((await Promise.all(lookups)).includes(true))
      }
      void run().catch(first.reject)
      return first.promise
    }
  }
}
