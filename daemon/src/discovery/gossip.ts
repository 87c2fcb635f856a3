import { advertTopic, loadTopic } from '@hedgerow/protocols/ids'
import type { Ledger } from '@hedgerow/protocols/ledger'
import { type GossipSub, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Logger } from 'pino'
import type { Senders } from './senders.ts'

export interface GossipComponents {
  pubsub: GossipSub
  ledger: Ledger
  senders: Senders
  mesh: string
  log: Logger
}

const VERDICTS = {
  news: TopicValidatorResult.Accept,
  // Not passed on, and nobody's fault: it went round already.
  known: TopicValidatorResult.Ignore,
  invalid: TopicValidatorResult.Reject
} as const

/**
 * Adverts, goodbyes and load reports over gossipsub. Each message is checked before it is passed on: the topic
 * validator is where the ledger learns, so nothing invalid travels further than one hop.
 */
export class Gossip {
  readonly #pubsub: GossipSub
  readonly #ledger: Ledger
  readonly #senders: Senders
  readonly #mesh: string
  readonly #log: Logger
  readonly #followed = new Set<string>()

  constructor({ pubsub, ledger, senders, mesh, log }: GossipComponents) {
    this.#pubsub = pubsub
    this.#ledger = ledger
    this.#senders = senders
    this.#mesh = mesh
    this.#log = log
  }

  start(): void {
    this.#subscribe(advertTopic(this.#mesh))
  }

  /** Hears the load reports of a service from now on. */
  follow(service: string): boolean {
    if (this.#followed.has(service)) return false
    this.#followed.add(service)
    this.#subscribe(loadTopic(this.#mesh, service))
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
    const name = topic === 'adverts' ? advertTopic(this.#mesh) : loadTopic(this.#mesh, topic.load)
    try {
      await this.#pubsub.publish(name, bytes)
    } catch (err) {
      this.#log.warn({ err, topic: name }, 'could not publish')
    }
  }

  #subscribe(topic: string): void {
    this.#pubsub.topicValidators.set(topic, async (peer, message) => {
      const sender = peer.toString()
      if (!this.#senders.admit(sender)) return VERDICTS.known
      const verdict = await this.#ledger.learn(message.data)
      if (verdict === 'invalid') this.#senders.blame(sender)
      return VERDICTS[verdict]
    })
    this.#pubsub.subscribe(topic)
  }
}
