import {
  type Credential,
  createTrust,
  LEEWAY,
  openTrust,
  peerIdOfKey,
  type Trust
} from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import { toString as encode } from 'uint8arrays/to-string'
import { type MembershipFile, writeMembership } from './file.ts'
import { isoTime, Renewal, WARN_BEFORE } from './renewal.ts'
import { keepRevocations } from './revocations.ts'
import { watchFile } from './watch.ts'

/** This peer's own credential as it shows it to its owner. */
export interface CredentialStatus {
  id: string
  /** ISO 8601 */
  expires_at: string
  /** `authority`, or a peer id */
  issuer: string
  roles: string[]
  services: string[]
  classes: string[]
  /** whether it is renewed without anybody doing anything */
  renewed: boolean
  /** what its owner should do, where something is to be done */
  warning?: string
}

export interface MembershipInit {
  dataDir: string
  privateKey: PrivateKey
  /** undefined in an open mesh */
  file: MembershipFile | undefined
  /** files in which a new credential may be put while this runs */
  watched?: string[]
  /** reads them again */
  reread?(): Promise<MembershipFile | undefined>
  log: Logger
  /** seconds since 1970. @default by the clock */
  now?(): number
  /** @default Math.random */
  random?(): number
}

/** What a membership needs of the peer whose it is, once that runs. */
export interface MembershipPeer {
  /** asks an issuer over the mesh for the next credential */
  askRenewal(issuer: string, chain: string): Promise<string>
}

/** A peer's place in its mesh, kept up to date as long as the peer runs. */
export class Membership {
  readonly trust: Trust
  readonly mesh: string
  /** web addresses of relays that came with the invite */
  readonly relays: readonly string[]
  readonly #init: MembershipInit
  readonly #renewal: Renewal
  readonly #listeners = new Set<(chain: string) => void>()
  readonly #now: () => number
  readonly #peerId: string
  #credential: Credential | undefined
  #peer: MembershipPeer | undefined
  #stops: Array<() => unknown> = []

  /** @throws {CredentialError} when the credential isn't good */
  static async open(init: MembershipInit & { file: MembershipFile }): Promise<Membership> {
    const { mesh, authority, credential } = init.file
    const trust = createTrust({ mesh, authority, ...(init.now == null ? {} : { now: init.now }) })
    const membership = new Membership(init, trust)
    membership.#stops.push(await keepRevocations(init.dataDir, trust, init.log))
    await membership.#adopt(credential)
    const unlisten = trust.addListener(({ subject, issuer }) => {
      if (subject !== membership.#peerId) return
      init.log.error({ by: issuer }, 'this peer was taken out of the mesh: the others no longer believe it')
    })
    membership.#stops.push(unlisten)
    return membership
  }

  constructor(init: MembershipInit, trust: Trust) {
    this.#init = init
    this.trust = trust
    this.mesh = trust.mesh
    this.relays = init.file?.relays ?? []
    this.#peerId = peerIdOfKey(init.privateKey.publicKey.raw)
    this.#now = init.now ?? (() => Date.now() / 1000)
    this.#renewal = new Renewal({
      credential: () => this.#credential,
      renew: issuer => this.#renew(issuer),
      log: init.log,
      now: this.#now,
      random: init.random ?? Math.random
    })
  }

  get closed(): boolean {
    return this.trust.authority != null
  }

  /** the authority's public key in base64url; undefined in an open mesh */
  get authority(): string | undefined {
    return this.trust.authority == null ? undefined : encode(this.trust.authority, 'base64url')
  }

  get isIssuer(): boolean {
    return this.#credential?.roles.includes('issuer') === true
  }

  /** undefined in an open mesh */
  credential(): CredentialStatus | undefined {
    if (this.#credential == null) return undefined
    const { id, issuer, roles, services, classes, renewal } = this.#credential
    const warning = this.#warning(this.#credential)
    return {
      id,
      expires_at: isoTime(this.#credential.expiresAt),
      issuer,
      roles,
      services,
      classes,
      renewed: renewal != null,
      ...(warning == null ? {} : { warning })
    }
  }

  /** Calls with each new credential of this peer, once it is its own. */
  addListener(listener: (chain: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes a new credential for this peer, keeps it and tells of it. @throws {CredentialError} when it isn't good */
  async accept(chain: string): Promise<void> {
    if (chain === this.trust.own) return
    await this.#adopt(chain)
    const { file, dataDir, log } = this.#init
    if (file != null)
      await writeMembership(dataDir, { ...file, credential: chain }).catch(err =>
        log.error({ err }, 'the new credential could not be kept; it holds until a restart')
      )
    log.info({ expires_at: this.credential()?.expires_at }, 'this peer has a new credential')
    for (const listener of this.#listeners) listener(chain)
  }

  /** From now on credentials are renewed, and taken from the files in which they are put. */
  start(peer: MembershipPeer): void {
    this.#peer = peer
    this.#renewal.start()
    for (const file of this.#init.watched ?? []) this.#stops.push(watchFile(file, () => void this.#look()))
  }

  async stop(): Promise<void> {
    this.#renewal.stop()
    const stops = this.#stops
    this.#stops = []
    await Promise.all(stops.map(stop => stop()))
  }

  async #adopt(chain: string): Promise<void> {
    const { credential } = await this.trust.judge(chain, this.#peerId)
    this.#credential = credential
    this.trust.own = chain
    this.#renewal.changed()
  }

  async #renew(issuer: string): Promise<void> {
    if (this.#peer == null) throw new Error('this peer does not run yet')
    await this.accept(await this.#peer.askRenewal(issuer, this.trust.own))
  }

  /** Somebody has put a file there, or this peer itself has. An older credential than ours is no news. */
  async #look(): Promise<void> {
    const { reread, log } = this.#init
    try {
      const file = await reread?.()
      if (file == null || file.credential === this.trust.own) return
      if (file.mesh !== this.mesh) throw new Error(`it is for the mesh ${file.mesh}; a restart changes the mesh`)
      const { credential } = await this.trust.judge(file.credential, this.#peerId)
      if (credential.issuedAt < (this.#credential?.issuedAt ?? 0)) return
      await this.accept(file.credential)
    } catch (err) {
      log.error({ reason: err instanceof Error ? err.message : String(err) }, 'the new membership file is not used')
    }
  }

  #warning({ expiresAt, renewal, subject }: Credential): string | undefined {
    const left = expiresAt - this.#now()
    const remedy = `sign it a new one: hedgerow mesh sign ${subject}`
    if (left < -LEEWAY) return `it has expired, so nobody believes this peer any more; ${remedy}`
    if (renewal != null) return left < 0 ? 'it has expired, and its issuer has not renewed it' : undefined
    return left < WARN_BEFORE ? `it ends soon and is not renewed by itself; ${remedy}` : undefined
  }
}

/** Of a peer in an open mesh: it needs none. */
export function openMembership(mesh: string, init: Omit<MembershipInit, 'file'>): Membership {
  return new Membership({ ...init, file: undefined }, openTrust(mesh))
}
