/** What being a member comes to in a peer: what others may ask of it, and what it lets them have. */
import { MeshError } from '@hedgerow/protocols/errors'
import { CredentialError, type Member, openTrust, readChain, type Trust } from '@hedgerow/protocols/membership'
import type { Logger } from 'pino'
import type { VerifyCredential } from '../access/index.ts'
import { peerIdOf } from '../identity/index.ts'
import { createIssuer, type Issuer, Membership } from '../membership/index.ts'
import type { PeerConfig } from './index.ts'

/** For those who show over HTTP that they are members. */
export function credentialVerifier(trust: Trust): VerifyCredential {
  return async token => {
    try {
      const member = await trust.judge(token, readChain(token).subject)
      const { peerId, credential, expiresAt } = member
      const { roles, services, classes } = credential
      return { peerId, roles, services, classes, expiresAt: expiresAt * 1000, isGood: () => isStill(trust, member) }
    } catch (err) {
      if (err instanceof CredentialError) throw new MeshError('Unauthorized', err.message)
      throw err
    }
  }
}

function isStill(trust: Trust, member: Member): boolean {
  try {
    trust.recheck(member)
    return true
  } catch (err) {
    if (err instanceof CredentialError) return false
    throw err
  }
}

/**
 * A client asks for what its credential names; a worker or relay for whatever its own callers need. Who is no member any
 * more may still have a stream open, for as long as the connection takes to end: it may ask for nothing.
 *
 * @returns undefined when it may ask for everything
 */
export function clientRights(
  member: Member | undefined
): Pick<Member['credential'], 'services' | 'classes'> | undefined {
  if (member == null) return NO_RIGHTS
  return isClient(member) ? member.credential : undefined
}

/** Whether it is nothing else. */
export function isClient(member: Member | undefined): boolean {
  return member?.credential.roles.every(role => role === 'client') === true
}

const NO_RIGHTS = { services: [], classes: [] }

/** Of a peer that is given a trust and nothing else: nothing is kept. */
export function withoutFiles(config: PeerConfig, log: Logger): Membership {
  const { dataDir, privateKey, trust = openTrust(config.mesh) } = config
  return new Membership({ dataDir, privateKey, file: undefined, log }, trust)
}

/** Relays let others in, those whose credential says so; it may say so from one day to the next. */
export async function issuerOf(membership: Membership, config: PeerConfig, log: Logger): Promise<Issuer | undefined> {
  if (config.role !== 'relay' || !membership.closed) return undefined
  const { dataDir, privateKey } = config
  return createIssuer({ dataDir, privateKey, peerId: peerIdOf(privateKey), trust: membership.trust, log })
}
