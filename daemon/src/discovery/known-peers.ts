import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Gate } from '@hedgerow/protocols/gate'
import type { IdentifyResult, Libp2p } from '@libp2p/interface'
import type { Logger } from 'pino'
import { replaceFile } from '../files/index.ts'

const FILE = 'known-peers.json'
const MAX_PEERS = 200
const MAX_ADDRS = 8
const SAVE_INTERVAL = 15_000

/** Peers met before, kept in the data directory, so that a mesh outlives its relays. Newest last. */
export class KnownPeers {
  readonly #node: Libp2p
  readonly #gate: Pick<Gate, 'proven'>
  readonly #log: Logger
  readonly #file: string
  readonly #peers = new Map<string, string[]>()
  #dirty = false
  #failing = false
  #timer: NodeJS.Timeout | undefined

  constructor({ node, gate, log }: { node: Libp2p; gate: Pick<Gate, 'proven'>; log: Logger }, dataDir: string) {
    this.#node = node
    this.#gate = gate
    this.#log = log
    this.#file = join(dataDir, FILE)
  }

  async start(): Promise<void> {
    await this.#load()
    this.#node.addEventListener('peer:identify', this.#onIdentify)
    this.#timer = setInterval(() => void this.save(), SAVE_INTERVAL)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    this.#node.removeEventListener('peer:identify', this.#onIdentify)
    clearInterval(this.#timer)
    await this.save()
  }

  /** Multiaddrs with peer ids, those met last first. */
  addrs(): string[] {
    return [...this.#peers.values()].reverse().flat()
  }

  async save(): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    try {
      await replaceFile(this.#file, JSON.stringify([...this.#peers.values()]))
      this.#failing = false
    } catch (err) {
      this.#dirty = true
      if (!this.#failing) this.#log.warn({ err }, 'known peers could not be kept; this is tried again')
      this.#failing = true
    }
  }

  /** Strangers could fill it up, and have this peer dial what they like. */
  #onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    this.#gate.proven(detail.connection).then(
      () => this.#remember(detail),
      () => {}
    )
  }

  #remember({ peerId, listenAddrs }: Pick<IdentifyResult, 'peerId' | 'listenAddrs'>): void {
    const id = peerId.toString()
    const suffix = `/p2p/${id}`
    const addrs = listenAddrs
      .slice(0, MAX_ADDRS)
      .map(addr => (addr.toString().endsWith(suffix) ? addr.toString() : addr.toString() + suffix))
    if (addrs.length === 0) return
    this.#peers.delete(id)
    this.#peers.set(id, addrs)
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= MAX_PEERS) break
      this.#peers.delete(oldest)
    }
    this.#dirty = true
  }

  async #load(): Promise<void> {
    try {
      const stored: unknown = JSON.parse(await readFile(this.#file, 'utf8'))
      if (!Array.isArray(stored)) throw new Error('not a list')
      for (const addrs of stored.slice(-MAX_PEERS)) {
        const valid = Array.isArray(addrs) ? addrs.filter(addr => typeof addr === 'string').slice(0, MAX_ADDRS) : []
        const id = valid[0]?.split('/p2p/').at(-1)
        if (id != null) this.#peers.set(id, valid)
      }
    } catch (err) {
      if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return
      this.#log.warn({ file: this.#file }, 'known peers could not be read; starting without them')
    }
  }
}
