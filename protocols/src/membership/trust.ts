import { OPEN_CLASSES } from '../data-class/index.ts'
import { LEEWAY, MAX_CHAIN_LENGTH, REMEMBERED_CHAINS } from './constants.ts'
import { CredentialError } from './errors.ts'
import { readChain, verifyChain } from './grant.ts'
import type { Credential, Member, MemberRole } from './index.ts'
import { openRevocation, type Revocation, Revocations } from './revocation.ts'

export interface TrustInit {
  mesh: string
  /** the authority's public key: 32 bytes of Ed25519 */
  authority: Uint8Array
  /** this peer's own chain. @default none yet */
  own?: string
  /** seconds since 1970. @default by the clock */
  now?(): number
}

/** Whom a peer believes: everybody in an open mesh; in a closed one, those whose chain leads to the authority. */
export interface Trust {
  readonly mesh: string
  /** undefined in an open mesh */
  readonly authority: Uint8Array | undefined
  /** the chain that this peer shows; empty while it has none, and in an open mesh */
  own: string
  /** what {@link Trust.own} says; undefined while there is none */
  readonly rights: Credential | undefined
  /** What whoever connects may do with no credential: nothing, in a closed mesh. */
  anybody(peerId: string): Member | undefined
  /** Finds a chain good for this peer, or not. @throws {CredentialError} */
  judge(chain: string, peerId: string): Promise<Member>
  /** Whether a member still is one: nothing of its chain has ended or was taken back. @throws {CredentialError} */
  recheck(member: Member): void
  /** Learns a revocation. @returns whether it was news @throws {CredentialError} */
  revoke(token: string): Promise<boolean>
  revocations(): string[]
  /** Until when what the authority, or this issuer, gave a peer, or this invite, is taken back; undefined when nothing is. */
  revokedUntil(subject: string, issuer: string): number | undefined
  /** called with every revocation that was news */
  addListener(listener: (revocation: Revocation, token: string) => void): () => void
  /** Forgets what has ended. */
  sweep(): void
}

const byClock = (): number => Date.now() / 1000

/** @example createTrust({ mesh: 'charity-abcdefghijkl', authority }) */
export function createTrust(init: TrustInit): Trust {
  return new ClosedTrust(init)
}

/** Of an open mesh: whoever reaches a peer is a member in every role, but sees nothing confidential. */
export function openTrust(mesh: string): Trust {
  return {
    mesh,
    authority: undefined,
    own: '',
    rights: anybody(mesh, '').credential,
    anybody: peerId => anybody(mesh, peerId),
    judge: async (_chain, peerId) => anybody(mesh, peerId),
    recheck() {},
    revoke: async () => false,
    revocations: () => [],
    revokedUntil: () => undefined,
    addListener: () => () => {},
    sweep() {}
  }
}

const OPEN_ROLES: MemberRole[] = ['relay', 'worker', 'client']

function anybody(mesh: string, peerId: string): Member {
  const credential: Credential = {
    id: '',
    issuer: '',
    subject: peerId,
    mesh,
    roles: OPEN_ROLES,
    services: ['*'],
    classes: [...OPEN_CLASSES],
    issuedAt: 0,
    notBefore: 0,
    expiresAt: Infinity
  }
  return { peerId, credential, chain: [], expiresAt: Infinity }
}

/** A chain that can't be read gives no rights; whoever put it there hears so from the first peer. */
function rightsIn(chain: string): Credential | undefined {
  try {
    return readChain(chain)
  } catch (err) {
    if (err instanceof CredentialError) return undefined
    throw err
  }
}

class ClosedTrust implements Trust {
  readonly mesh: string
  readonly authority: Uint8Array
  #own = ''
  #rights: Credential | undefined
  readonly #now: () => number
  readonly #revocations = new Revocations()
  /** chains whose signatures are good, the least recently asked for first */
  readonly #verified = new Map<string, Member>()
  readonly #listeners = new Set<(revocation: Revocation, token: string) => void>()

  constructor({ mesh, authority, own = '', now = byClock }: TrustInit) {
    this.mesh = mesh
    this.authority = authority
    this.own = own
    this.#now = now
  }

  anybody(): undefined {
    return undefined
  }

  get own(): string {
    return this.#own
  }

  set own(chain: string) {
    this.#own = chain
    this.#rights = rightsIn(chain)
  }

  get rights(): Credential | undefined {
    return this.#rights
  }

  async judge(chain: string, peerId: string): Promise<Member> {
    if (chain === '') throw new CredentialError('Missing', 'no credential was shown; this mesh is closed')
    if (chain.length > MAX_CHAIN_LENGTH) throw new CredentialError('Malformed', 'this credential is too long')
    const member = this.#recall(chain) ?? (await this.#verify(chain))
    if (member.peerId !== peerId) throw new CredentialError('WrongPeer', `this credential is ${member.peerId}'s`)
    this.recheck(member)
    return member
  }

  recheck({ chain }: Member): void {
    const now = this.#now()
    for (const credential of chain) {
      if (credential.expiresAt + LEEWAY <= now) throw new CredentialError('Expired', 'this credential has expired')
      if (this.#revocations.includes(credential))
        throw new CredentialError('Revoked', `the credential of ${credential.subject} was revoked`)
    }
  }

  async revoke(token: string): Promise<boolean> {
    const revocation = await openRevocation(token, { mesh: this.mesh, authority: this.authority, now: this.#now() })
    if (!this.#revocations.add(revocation, token)) return false
    for (const listener of this.#listeners) listener(revocation, token)
    return true
  }

  revocations(): string[] {
    return this.#revocations.tokens()
  }

  revokedUntil(subject: string, issuer: string): number | undefined {
    return this.#revocations.issuedUntil(subject, issuer)
  }

  addListener(listener: (revocation: Revocation, token: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  sweep(): void {
    this.#revocations.sweep(this.#now())
  }

  #recall(chain: string): Member | undefined {
    const member = this.#verified.get(chain)
    if (member == null) return undefined
    this.#verified.delete(chain)
    this.#verified.set(chain, member)
    return member
  }

  async #verify(chain: string): Promise<Member> {
    const member = await verifyChain(chain, { mesh: this.mesh, authority: this.authority, now: this.#now() })
    if (this.#verified.size >= REMEMBERED_CHAINS) {
      const [oldest] = this.#verified.keys()
      if (oldest != null) this.#verified.delete(oldest)
    }
    this.#verified.set(chain, member)
    return member
  }
}
