import { MeshError } from '@hedgerow/protocols/errors'
import {
  CredentialError,
  checkKeyProof,
  grant,
  type Invite,
  inviteSubject,
  type KeyProof,
  noncePrefix,
  openInvite,
  peekToken,
  type Trust,
  withinIssuer
} from '@hedgerow/protocols/membership'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import { Nonces } from './nonces.ts'
import { Redemptions } from './redemptions.ts'

/** Seconds that the credential lasts of a client that is known by something else: it comes again with that. */
const CLIENT_TTL = 3600
const CLIENT_CLASSES = ['public', 'internal']

/** Whoever asks over HTTP, as far as enrolment is concerned. */
export interface EnrolCaller {
  kind: 'local' | 'key' | 'oidc' | 'peer' | 'anonymous'
  id: string
  services: '*' | readonly string[]
  rights: ReadonlySet<string>
}

export interface EnrolRequest extends KeyProof {
  nonce: string
  invite?: string
}

/** What a peer that is let in gets. */
export interface Grant {
  /** the chain to show */
  credential: string
  /** seconds since 1970 */
  expiresAt: number
}

/** Lets peers in, and renews what it has given them. */
export interface Issuer {
  /** for one {@link enrol} within five minutes @throws {MeshError} NotIssuer */
  nonce(): Promise<string>
  /** @throws {MeshError} InvalidProof, Unauthorized, Forbidden, InvalidInvite, InviteUsedUp, NotIssuer */
  enrol(request: EnrolRequest, caller: EnrolCaller): Promise<Grant>
  /** @param peerId as the connection has shown it @throws {MeshError} Forbidden, NotIssuer */
  renew(chain: string, peerId: string): Promise<Grant>
  /** peers that were let in by invites that are still good */
  readonly redemptions: number
  stop(): Promise<void>
}

export interface IssuerInit {
  dataDir: string
  privateKey: PrivateKey
  peerId: string
  trust: Trust
  log: Logger
  /** seconds since 1970. @default by the clock */
  now?(): number
}

export async function createIssuer(init: IssuerInit): Promise<Issuer> {
  const now = init.now ?? (() => Date.now() / 1000)
  return new KeyIssuer(init, now, await Redemptions.open(init.dataDir, now()))
}

class KeyIssuer implements Issuer {
  readonly #init: IssuerInit
  readonly #now: () => number
  readonly #redemptions: Redemptions
  readonly #nonces: Nonces

  constructor(init: IssuerInit, now: () => number, redemptions: Redemptions) {
    this.#init = init
    this.#now = now
    this.#redemptions = redemptions
    this.#nonces = new Nonces(now, noncePrefix(init.trust.mesh))
  }

  async nonce(): Promise<string> {
    await this.#own()
    return this.#nonces.make()
  }

  async enrol({ nonce, invite, ...proof }: EnrolRequest, caller: EnrolCaller): Promise<Grant> {
    await this.#checkProof(proof, nonce)
    const granted =
      invite == null ? await this.#byCaller(proof.peerId, caller) : await this.#byInvite(proof.peerId, invite)
    const by = invite == null ? caller.kind : 'invite'
    this.#init.log.info({ peer: proof.peerId, by, expires_at: granted.expiresAt }, 'let a peer into the mesh')
    return granted
  }

  async renew(chain: string, peerId: string): Promise<Grant> {
    const { trust, log } = this.#init
    const { credential } = await trust.judge(chain, peerId).catch(err => {
      throw refusal(err, 'Forbidden')
    })
    if (credential.issuer !== this.#init.peerId)
      throw new MeshError('NotIssuer', `this credential is ${credential.issuer}'s to renew, not this peer's`)
    if (credential.renewal == null)
      throw new MeshError('Forbidden', 'this credential is not renewed by itself; enrol again as the first time')
    const own = await this.#own()
    const rights = withinIssuer(credential, own)
    if (rights.roles.length === 0)
      throw new MeshError('Forbidden', 'this peer may no longer grant any of the roles that this credential has')
    const granted = await this.#grant(peerId, { ...rights, ttl: credential.renewal, renewal: credential.renewal })
    log.info({ peer: peerId, expires_at: granted.expiresAt }, 'renewed a credential')
    return granted
  }

  get redemptions(): number {
    return this.#redemptions.size
  }

  stop(): Promise<void> {
    return this.#redemptions.close()
  }

  /** A nonce is used up by a good proof only, so that nobody uses up another's, nor fills the memory for nothing. */
  async #checkProof(proof: KeyProof, nonce: string): Promise<void> {
    if (!this.#nonces.isGood(nonce))
      throw new MeshError(
        'InvalidProof',
        'this nonce is not one of ours, or old, or used; GET /api/enrol gives another'
      )
    await checkKeyProof(proof, this.#init.trust.mesh, nonce).catch(err => {
      throw refusal(err, 'InvalidProof')
    })
    if (!this.#nonces.use(nonce))
      throw new MeshError('InvalidProof', 'this nonce has been used meanwhile; GET /api/enrol gives another')
  }

  async #byInvite(peerId: string, token: string): Promise<Grant> {
    const { trust, peerId: self } = this.#init
    const authority = trust.authority
    if (authority == null) throw new MeshError('NotIssuer', 'this mesh is open; nobody needs an invite')
    const invite = await openInvite(token, { mesh: trust.mesh, authority, issuer: self, now: this.#now() }).catch(
      err => {
        const isOthers = err instanceof CredentialError && err.fault === 'WrongPeer'
        throw refusal(err, isOthers ? 'NotIssuer' : 'InvalidInvite')
      }
    )
    if (trust.revokedUntil(inviteSubject(invite.id), self) != null)
      throw new MeshError('InvalidInvite', 'this invite was taken back; ask for another')
    // Whoever was taken out is let in again by an invite that is younger than that, not by the old one.
    const revokedUntil = trust.revokedUntil(peerId, self)
    if (revokedUntil != null && invite.issuedAt <= revokedUntil)
      throw new MeshError(
        'Forbidden',
        'this peer was taken out of the mesh after this invite was made; ask for a new one'
      )
    await this.#checkGrantable(invite)
    if (!(await this.#redemptions.redeem(invite, peerId, this.#now())))
      throw new MeshError('InviteUsedUp', `this invite has been used ${times(invite.uses)}; ask for another`)
    const { roles, services, classes, ttl } = invite
    return this.#grant(peerId, { roles, services, classes, ttl, renewal: ttl })
  }

  /** Before it is used up: an invite by the authority may name more than this issuer has. */
  async #checkGrantable({ roles, services, classes }: Invite): Promise<void> {
    const within = withinIssuer({ roles, services, classes }, await this.#own())
    const lost = [
      ...roles.filter(one => !within.roles.includes(one)).map(one => `the role ${one}`),
      ...services.filter(one => !within.services.includes(one)).map(one => `the service ${one}`),
      ...classes.filter(one => !within.classes.includes(one)).map(one => `the class ${one}`)
    ]
    if (lost.length > 0)
      throw new MeshError('InvalidInvite', `this invite names more than this issuer may grant: ${lost.join(', ')}`)
  }

  #byCaller(peerId: string, { kind, services, rights }: EnrolCaller): Promise<Grant> {
    if (kind === 'anonymous') throw new MeshError('Unauthorized', 'an invite, an API key or an OIDC token is needed')
    // Else a client would go on for ever after whatever let it in has ended.
    if (kind === 'peer') throw new MeshError('Forbidden', 'a credential is no reason for another one')
    if (!rights.has('enrol')) throw new MeshError('Forbidden', 'this caller has not the right to enrol')
    if (this.#init.trust.revokedUntil(peerId, this.#init.peerId) != null)
      throw new MeshError('Forbidden', 'this peer was taken out of the mesh')
    return this.#grantClient(peerId, services === '*' ? ['*'] : [...services])
  }

  async #grantClient(peerId: string, services: string[]): Promise<Grant> {
    const rights = withinIssuer({ roles: ['client'], services, classes: CLIENT_CLASSES }, await this.#own())
    return this.#grant(peerId, { ...rights, ttl: CLIENT_TTL })
  }

  async #grant(subject: string, rights: Omit<Parameters<typeof grant>[0], 'mesh' | 'subject' | 'now'>): Promise<Grant> {
    const { trust, privateKey } = this.#init
    await this.#own()
    try {
      const init = { mesh: trust.mesh, subject, now: this.#now(), ...rights }
      const credential = await grant(init, { privateKey, chain: trust.own })
      return { credential, expiresAt: Number(peekToken(credential.split('~')[0] ?? '').exp) }
    } catch (err) {
      throw refusal(err, 'Forbidden')
    }
  }

  /** What this peer may give: as its own credential says now. @throws {MeshError} NotIssuer */
  async #own() {
    const { trust, peerId } = this.#init
    try {
      const { credential } = await trust.judge(trust.own, peerId)
      if (trust.authority != null && credential.roles.includes('issuer')) return credential
    } catch (err) {
      throw refusal(err, 'NotIssuer')
    }
    throw new MeshError('NotIssuer', 'this peer is no issuer: its credential has not that role')
  }
}

function times(n: number): string {
  return n === 1 ? 'once, which is as often as it may be' : `${n} times, which is as often as it may be`
}

function refusal(err: unknown, code: 'Forbidden' | 'InvalidProof' | 'InvalidInvite' | 'NotIssuer'): unknown {
  return err instanceof CredentialError ? new MeshError(code, err.message, {}, { cause: err }) : err
}
