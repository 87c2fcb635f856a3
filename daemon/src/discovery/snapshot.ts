import type { Gate } from '@hedgerow/protocols/gate'
import { HTTP_PROTOCOL } from '@hedgerow/protocols/ids'
import type { Invoker } from '@hedgerow/protocols/invocation'
import type { Ledger } from '@hedgerow/protocols/ledger'
import { CredentialError, type Trust } from '@hedgerow/protocols/membership'
import type { IdentifyResult, Libp2p } from '@libp2p/interface'
import { Ajv } from 'ajv'
import type { Logger } from 'pino'
import { fromString } from 'uint8arrays/from-string'
import { toString as encode } from 'uint8arrays/to-string'
import { askPeer } from './ask.ts'

export interface SnapshotComponents {
  node: Libp2p
  gate: Pick<Gate, 'proven' | 'isMember'>
  invoker: Invoker
  ledger: Ledger
  trust: Trust
  log: Logger
}

/** Where a peer answers with the sealed adverts and the revocations it knows. */
export const SNAPSHOT_PATH = '/adverts'
/** Adverts in one snapshot: a mesh of hundreds in one answer, a larger one in part; gossip and the DHT bring the rest. */
export const MAX_SNAPSHOT = 512
/** Characters of revocations in one snapshot. Where there are more, each snapshot has others. */
const MAX_REVOCATIONS_LENGTH = 4 * 1024 * 1024
const MAX_REVOCATIONS = 10_000
const MAX_BYTES = 16 * 1024 * 1024
/** Peers asked right after the start; later ones only now and then. */
const EAGER = 3
const INTERVAL = 60_000
const TIMEOUT = 10_000

interface Snapshot {
  /** in base64 */
  adverts: string[]
  /** left out by a peer of an open mesh */
  revocations?: string[]
}

const checkSnapshot = new Ajv().compile<Snapshot>({
  type: 'object',
  required: ['adverts'],
  properties: {
    adverts: { type: 'array', maxItems: MAX_SNAPSHOT, items: { type: 'string' } },
    revocations: { type: 'array', maxItems: MAX_REVOCATIONS, items: { type: 'string' } }
  }
})

/**
 * @param isGone whether somebody is left out, of whom this peer has heard nothing for so long that a newcomer, to whom all
 * of it is news, would take it for alive
 */
export function snapshotOf(ledger: Ledger, trust: Trust, isGone: (peerId: string) => boolean): Snapshot {
  const adverts = sealedAdverts(ledger, isGone)
  return trust.authority == null ? { adverts } : { adverts, revocations: revocationsOf(trust, Math.random()) }
}

export function sealedAdverts(ledger: Ledger, isGone: (peerId: string) => boolean = () => false): string[] {
  const adverts: string[] = []
  for (const [peerId, bytes] of ledger.adverts()) {
    if (adverts.length === MAX_SNAPSHOT) break
    if (!isGone(peerId)) adverts.push(encode(bytes, 'base64'))
  }
  return adverts
}

/** @param random from 0 to 1: where to begin, when not all fit */
function revocationsOf(trust: Trust, random: number): string[] {
  const all = trust.revocations()
  const start = Math.floor(all.length * random)
  let length = 0
  return [...all.slice(start), ...all.slice(0, start)].filter(token => {
    length += token.length
    return length <= MAX_REVOCATIONS_LENGTH
  })
}

/**
 * Brings a newcomer up to date, and mends what gossip lost: asks the first peers it meets for the adverts and the
 * revocations they know, and one at random every minute.
 */
export class SnapshotReader {
  readonly #node: Libp2p
  readonly #gate: SnapshotComponents['gate']
  readonly #invoker: Invoker
  readonly #ledger: Ledger
  readonly #trust: Trust
  readonly #log: Logger
  readonly #stopped = new AbortController()
  #asked = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ node, gate, invoker, ledger, trust, log }: SnapshotComponents) {
    this.#node = node
    this.#gate = gate
    this.#invoker = invoker
    this.#ledger = ledger
    this.#trust = trust
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

  #onIdentify = ({ detail: { peerId, protocols, connection } }: CustomEvent<IdentifyResult>): void => {
    if (this.#asked >= EAGER || !protocols.includes(HTTP_PROTOCOL)) return
    this.#gate.proven(connection).then(
      () => {
        if (this.#asked++ < EAGER) this.#ask(peerId.toString())
      },
      // A stranger is asked nothing, and keeps nobody from being asked.
      () => {}
    )
  }

  #askSomebody(): void {
    const peers = this.#node.getPeers().filter(peer => this.#gate.isMember(peer.toString()))
    const peer = peers[Math.floor(Math.random() * peers.length)]
    if (peer == null) this.#asked = 0
    else this.#ask(peer.toString())
  }

  #ask(peerId: string): void {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(TIMEOUT)])
    readSnapshot({ invoker: this.#invoker, ledger: this.#ledger, trust: this.#trust }, peerId, signal).catch(err =>
      this.#log.debug({ err, peer: peerId }, 'no snapshot')
    )
  }
}

/** Learns the adverts and the revocations that one peer knows. @throws {Error} when it doesn't tell them */
export async function readSnapshot(
  { invoker, ledger, trust }: Pick<SnapshotComponents, 'invoker' | 'ledger' | 'trust'>,
  peerId: string,
  signal: AbortSignal
): Promise<void> {
  const { status, body } = await askPeer(invoker, peerId, SNAPSHOT_PATH, { signal, maxBytes: MAX_BYTES })
  if (status !== 200) throw new Error(`the peer answers ${status}`)
  const snapshot: unknown = JSON.parse(body.toString())
  if (!checkSnapshot(snapshot)) throw new Error('the snapshot has another form')
  // First, so that nobody is believed for a moment who no longer is.
  for (const token of snapshot.revocations ?? []) {
    await trust.revoke(token).catch(err => {
      if (!(err instanceof CredentialError)) throw err
    })
  }
  for (const advert of snapshot.adverts) await ledger.learn(fromString(advert, 'base64'))
}
