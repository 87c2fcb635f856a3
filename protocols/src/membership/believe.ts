import type { Advert } from '../advert/index.ts'
import { CredentialError, type CredentialFault } from './errors.ts'
import { covers, type Member } from './index.ts'
import type { Trust } from './trust.ts'

/**
 * Whether a peer may say of itself what its advert says: it is a member, in that role, and its credential names each
 * service that it offers or could run. Only workers offer any: a client's credential names what it may ask for, and an
 * issuer's what it may let others offer.
 *
 * @throws {CredentialError}
 */
export async function believe({ peerId, role, credential, services, eligible }: Advert, trust: Trust): Promise<Member> {
  const member = await trust.judge(credential ?? '', peerId)
  const { roles, services: named } = member.credential
  if (!roles.includes(role)) throw new CredentialError('NotGranted', `its credential does not make it a ${role}`)
  const offered = [...services.map(({ contract }) => contract.name), ...eligible]
  if (role !== 'worker' && offered.length > 0)
    throw new CredentialError('NotGranted', `it is a ${role}, and only workers offer services`)
  const more = offered.find(name => !covers(named, name))
  if (more != null) throw new CredentialError('NotGranted', `its credential does not name the service ${more}`)
  return member
}

/** Whether a member may offer a service, and report its load. */
export function mayOffer({ credential: { roles, services } }: Member, service: string): boolean {
  return roles.includes('worker') && covers(services, service)
}

/** Of these whoever passes a statement on may not have known yet, by its clock or for want of news. */
const EXCUSABLE: readonly CredentialFault[] = ['Expired', 'NotYetValid', 'Revoked']

/** Whether nobody honest would have passed this on. */
export function isForgery({ fault }: CredentialError): boolean {
  return !EXCUSABLE.includes(fault)
}
