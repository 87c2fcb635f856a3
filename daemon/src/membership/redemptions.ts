import { join } from 'node:path'
import { type Invite, LEEWAY } from '@hedgerow/protocols/membership'
import { Ajv } from 'ajv'
import { LineFile, readLines } from './lines.ts'

const FILE = 'redemptions.jsonl'

interface Redemption {
  invite: string
  peer_id: string
  /** seconds since 1970 */
  at: number
  /** when the invite ends, and this is forgotten */
  expires_at: number
}

const check = new Ajv().compile<Redemption>({
  type: 'object',
  required: ['invite', 'peer_id', 'at', 'expires_at'],
  properties: {
    invite: { type: 'string' },
    peer_id: { type: 'string' },
    at: { type: 'integer' },
    expires_at: { type: 'integer' }
  }
})

interface Used {
  /** each with the time its line is on the disk */
  peers: Map<string, Promise<void>>
  expiresAt: number
}

/**
 * Who has used which invite. Only invites that are signed by this issuer or the authority get here, so what is kept is
 * bounded by what they were made for.
 */
export class Redemptions {
  readonly #file: LineFile
  readonly #used = new Map<string, Used>()

  private constructor(file: LineFile) {
    this.#file = file
  }

  /** @param now seconds since 1970 */
  static async open(dataDir: string, now: number): Promise<Redemptions> {
    const path = join(dataDir, FILE)
    const file = new LineFile(path)
    const redemptions = new Redemptions(file)
    const lines = await readLines(path)
    const kept = lines.filter(line => check(line)).filter(({ expires_at }) => expires_at + LEEWAY > now)
    if (kept.length < lines.length) await file.replace(kept)
    for (const { invite, peer_id, expires_at } of kept) {
      redemptions.#entry(invite, expires_at).peers.set(peer_id, Promise.resolve())
    }
    return redemptions
  }

  /**
   * Uses an invite once, or finds that this peer has used it before. Resolves when that is on the disk: whoever is told
   * yes was counted, whatever happens next.
   *
   * @returns false when it is used up
   */
  async redeem({ id, uses, expiresAt }: Invite, peerId: string, now: number): Promise<boolean> {
    this.#prune(now)
    const { peers } = this.#entry(id, expiresAt)
    let written = peers.get(peerId)
    if (written == null) {
      if (peers.size >= uses) return false
      written = this.#file.append({ invite: id, peer_id: peerId, at: Math.floor(now), expires_at: expiresAt })
      peers.set(peerId, written)
    }
    try {
      await written
    } catch (err) {
      if (peers.get(peerId) === written) peers.delete(peerId)
      throw err
    }
    return true
  }

  get size(): number {
    let size = 0
    for (const { peers } of this.#used.values()) size += peers.size
    return size
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #entry(invite: string, expiresAt: number): Used {
    const known = this.#used.get(invite)
    if (known != null) return known
    const made = { peers: new Map<string, Promise<void>>(), expiresAt }
    this.#used.set(invite, made)
    return made
  }

  #prune(now: number): void {
    for (const [invite, { expiresAt }] of this.#used) if (expiresAt + LEEWAY <= now) this.#used.delete(invite)
  }
}
