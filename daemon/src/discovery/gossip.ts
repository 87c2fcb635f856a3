import { advertTopic, loadTopic, revocationTopic } from '@hedgerow/protocols/ids'
import type { Ledger, Verdict } from '@hedgerow/protocols/ledger'
import { CredentialError, isForgery, MAX_CHAIN_LENGTH, MAX_TOKEN, type Trust } from '@hedgerow/protocols/membership'
import { type GossipSub, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Logger } from 'pino'
import type { Senders } from './senders.ts'

export interface GossipComponents {
  pubsub: GossipSub
  ledger: Ledger
  trust: Trust
  senders: Senders
  mesh: string
  log: Logger
}

/** What a topic carries; of load reports there is one for each service. */
type Kind = 'adverts' | 'load' | 'revocations'

/** Messages that came in since the start, by what became of them; `flood`: not looked at, for there were too many. */
export type GossipCounts = Readonly<Record<Kind, Record<Verdict | 'flood', number>>>

/** Bytes of a revocation with its issuer's chain. */
const MAX_REVOCATION = MAX_TOKEN + 1 + MAX_CHAIN_LENGTH

const VERDICTS = {
  news: TopicValidatorResult.Accept,
  // Not passed on, and nobody's fault: it went round already.
  known: TopicValidatorResult.Ignore,
  invalid: TopicValidatorResult.Reject
} as const

/**
 * Adverts, goodbyes, load reports and revocations over gossipsub. Each message is checked before it is passed on: the topic
 * validator is where the ledger (of revocations, the trust) learns, so nothing invalid travels further than one hop.
 */
export class Gossip {
  readonly #pubsub: GossipSub
  readonly #ledger: Ledger
  readonly #trust: Trust
  readonly #senders: Senders
  readonly #mesh: string
  readonly #log: Logger
  readonly #followed = new Set<string>()
  readonly counts: GossipCounts = { adverts: none(), load: none(), revocations: none() }

  constructor({ pubsub, ledger, trust, senders, mesh, log }: GossipComponents) {
    this.#pubsub = pubsub
    this.#ledger = ledger
    this.#trust = trust
    this.#senders = senders
    this.#mesh = mesh
    this.#log = log
  }

  start(): void {
    this.#subscribe('adverts', advertTopic(this.#mesh), bytes => this.#ledger.learn(bytes))
    if (this.#trust.authority != null)
      this.#subscribe('revocations', revocationTopic(this.#mesh), bytes => learnRevocation(this.#trust, bytes))
  }

  /** Hears the load reports of a service from now on. */
  follow(service: string): boolean {
    if (this.#followed.has(service)) return false
    this.#followed.add(service)
    this.#subscribe('load', loadTopic(this.#mesh, service), bytes => this.#ledger.learn(bytes))
    return true
  }

  unfollow(service: string): void {
    if (!this.#followed.delete(service)) return
    const topic = loadTopic(this.#mesh, service)
    this.#pubsub.unsubscribe(topic)
    this.#pubsub.topicValidators.delete(topic)
  }

  get followed(): ReadonlySet<string> {
    return this.#followed
  }

  /** Learns a statement of this peer's own and tells the others. */
  async publish(topic: 'adverts' | { load: string }, bytes: Uint8Array): Promise<void> {
    await this.#ledger.learn(bytes)
    await this.#send(topic === 'adverts' ? advertTopic(this.#mesh) : loadTopic(this.#mesh, topic.load), bytes)
  }

  /** Tells the others of a revocation that this peer has learnt elsewhere. */
  async spread(revocation: string): Promise<void> {
    await this.#send(revocationTopic(this.#mesh), new TextEncoder().encode(revocation))
  }

  async #send(name: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#pubsub.publish(name, bytes)
    } catch (err) {
      this.#log.warn({ err, topic: name }, 'could not publish')
    }
  }

  #subscribe(kind: Kind, topic: string, learn: (bytes: Uint8Array) => Promise<Verdict>): void {
    this.#pubsub.topicValidators.set(topic, async (peer, message) => {
      const sender = peer.toString()
      if (!this.#senders.admit(sender)) {
        this.counts[kind].flood++
        return VERDICTS.known
      }
      const verdict = await learn(message.data)
      this.counts[kind][verdict]++
      if (verdict === 'invalid') {
        this.#senders.blame(sender)
        this.#log.debug({ peer: sender, topic }, 'gossip that is not good')
      }
      return VERDICTS[verdict]
    })
    this.#pubsub.subscribe(topic)
  }
}

function none(): Record<Verdict | 'flood', number> {
  return { news: 0, known: 0, invalid: 0, flood: 0 }
}

async function learnRevocation(trust: Trust, bytes: Uint8Array): Promise<Verdict> {
  if (bytes.byteLength > MAX_REVOCATION) return 'invalid'
  try {
    return (await trust.revoke(new TextDecoder().decode(bytes))) ? 'news' : 'known'
  } catch (err) {
    if (!(err instanceof CredentialError)) throw err
    return isForgery(err) ? 'invalid' : 'known'
  }
}
