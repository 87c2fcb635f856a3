import { HTTP_PROTOCOL } from '@hedgerow/protocols/ids'
import type { Invoker } from '@hedgerow/protocols/invocation'
import type { Ledger } from '@hedgerow/protocols/ledger'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { Ajv } from 'ajv'
import type { Logger } from 'pino'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import { askPeer } from './ask.ts'

export interface SnapshotComponents {
  node: Libp2p
  invoker: Invoker
  ledger: Ledger
  log: Logger
}

/** Where a peer answers with the sealed adverts it knows. */
export const SNAPSHOT_PATH = '/adverts'
/** Adverts in one snapshot: a mesh of hundreds in one answer, a larger one in part; gossip and the DHT bring the rest. */
export const MAX_SNAPSHOT = 512
const MAX_BYTES = 16 * 1024 * 1024
/** Peers asked right after the start; later ones only now and then. */
const EAGER = 3
const INTERVAL = 60_000
const TIMEOUT = 10_000

const checkSnapshot = new Ajv().compile<{ adverts: string[] }>({
  type: 'object',
  required: ['adverts'],
  properties: { adverts: { type: 'array', maxItems: MAX_SNAPSHOT, items: { type: 'string' } } }
})

export function snapshotOf(ledger: Ledger): { adverts: string[] } {
  const adverts: string[] = []
  for (const bytes of ledger.adverts()) {
    if (adverts.length === MAX_SNAPSHOT) break
    adverts.push(encode(bytes, 'base64'))
  }
  return { adverts }
}

/**
 * Brings a newcomer up to date, and mends what gossip lost: asks the first peers it meets for the adverts they know,
 * and one at random every minute.
 */
export class SnapshotReader {
  readonly #node: Libp2p
  readonly #invoker: Invoker
  readonly #ledger: Ledger
  readonly #log: Logger
  readonly #stopped = new AbortController()
  #asked = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ node, invoker, ledger, log }: SnapshotComponents) {
    this.#node = node
    this.#invoker = invoker
    this.#ledger = ledger
    this.#log = log
  }

  start(): void {
    this.#node.addEventListener('peer:identify', this.#onIdentify)
    this.#timer = setInterval(() => this.#askSomebody(), INTERVAL)
    this.#timer.unref()
  }

  stop(): void {
    this.#stopped.abort()
    clearInterval(this.#timer)
    this.#node.removeEventListener('peer:identify', this.#onIdentify)
  }

  #onIdentify = (event: CustomEvent<{ peerId: PeerId; protocols: string[] }>): void => {
    if (this.#asked >= EAGER || !event.detail.protocols.includes(HTTP_PROTOCOL)) return
    this.#asked++
    this.#ask(event.detail.peerId.toString())
  }

  #askSomebody(): void {
    const peers = this.#node.getPeers()
    const peer = peers[Math.floor(Math.random() * peers.length)]
    if (peer == null) this.#asked = 0
    else this.#ask(peer.toString())
  }

  #ask(peerId: string): void {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(TIMEOUT)])
    readSnapshot({ invoker: this.#invoker, ledger: this.#ledger }, peerId, signal).catch(err =>
      this.#log.debug({ err, peer: peerId }, 'no snapshot')
    )
  }
}

/** Learns the adverts that one peer knows. @throws {Error} when it doesn't tell them */
export async function readSnapshot(
  { invoker, ledger }: Pick<SnapshotComponents, 'invoker' | 'ledger'>,
  peerId: string,
  signal: AbortSignal
): Promise<void> {
  const { status, body } = await askPeer(invoker, peerId, SNAPSHOT_PATH, { signal, maxBytes: MAX_BYTES })
  if (status !== 200) throw new Error(`the peer answers ${status}`)
  const snapshot: unknown = JSON.parse(body.toString())
  if (!checkSnapshot(snapshot)) throw new Error('the snapshot has another form')
  for (const advert of snapshot.adverts) await ledger.learn(fromString(advert, 'base64'))
}
