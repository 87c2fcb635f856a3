import { advertKey, type Provided, providerCid } from '@hedgerow/protocols/ids'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Logger } from 'pino'

export interface DirectoryComponents {
  dht: KadDHT
  ledger: Ledger
  log: Logger
}

/** Milliseconds that one DHT operation may take in the background. */
const BACKGROUND_TIMEOUT = 30_000

/** What is written in the DHT: who provides what, and everybody's advert under their own key. */
export class Directory {
  readonly #dht: KadDHT
  readonly #ledger: Ledger
  readonly #log: Logger

  constructor({ dht, ledger, log }: DirectoryComponents) {
    this.#dht = dht
    this.#ledger = ledger
    this.#log = log
  }

  /** Says that this peer provides `what`; kad-dht repeats it until {@link withdraw}. */
  async provide(what: Provided): Promise<void> {
    await this.#run(
      `provide ${what}`,
      this.#dht.provide(await providerCid(what), { signal: AbortSignal.timeout(BACKGROUND_TIMEOUT) })
    )
  }

  /** Stops repeating it. Records that are out expire by themselves: Kademlia can't take one back. */
  async withdraw(what: Provided): Promise<void> {
    await this.#dht
      .cancelReprovide(await providerCid(what))
      .catch(err => this.#log.debug({ err, what }, 'was not provided'))
  }

  async putAdvert(peerId: string, sealed: Uint8Array): Promise<void> {
    await this.#run(
      'put advert',
      this.#dht.put(keyOf(peerId), sealed, { signal: AbortSignal.timeout(BACKGROUND_TIMEOUT) })
    )
  }

  /** Fetches and learns a peer's advert. @returns whether a valid one was found */
  async fetchAdvert(peerId: string, signal: AbortSignal): Promise<boolean> {
    try {
      for await (const event of this.#dht.get(keyOf(peerId), { signal })) {
        if (event.name === 'VALUE' && (await this.#ledger.learn(event.value)) !== 'invalid') return true
      }
    } catch (err) {
      this.#log.debug({ err, peer: peerId }, 'no advert in the DHT')
    }
    return false
  }

  /** Who provides `what`, as they are found; the walk goes on until the caller leaves the loop. */
  async *providers(what: Provided, signal: AbortSignal): AsyncGenerator<PeerInfo> {
    const seen = new Set<string>()
    try {
      for await (const event of this.#dht.findProviders(await providerCid(what), { signal })) {
        if (event.name !== 'PROVIDER' && event.name !== 'PEER_RESPONSE') continue
        for (const provider of event.providers) {
          const id = provider.id.toString()
          if (seen.has(id)) continue
          seen.add(id)
          yield provider
        }
      }
    } catch (err) {
      this.#log.debug({ err, what }, 'the search for providers ended early')
    }
  }

  async #run(what: string, events: AsyncIterable<unknown>): Promise<void> {
    try {
      for await (const _ of events);
    } catch (err) {
      // With nobody to tell yet there is nothing to write; the next round does it.
      this.#log.debug({ err }, `${what} did not finish`)
    }
  }
}

function keyOf(peerId: string): Uint8Array {
  const id: PeerId = peerIdFromString(peerId)
  return advertKey(id.toMultihash().bytes)
}
