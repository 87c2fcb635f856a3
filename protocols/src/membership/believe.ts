import type { Advert } from '../advert/index.ts'
import { CredentialError, type CredentialFault } from './errors.ts'
import { covers, type Member } from './index.ts'
import type { Trust } from './trust.ts'

/**
 * Whether a peer may say of itself what its advert says: it is a member, in that role, and its credential names each
 * service that it offers or could run.
 *
 * @throws {CredentialError}
 */
export async function believe({ peerId, role, credential, services, eligible }: Advert, trust: Trust): Promise<Member> {
  const member = await trust.judge(credential ?? '', peerId)
  const { roles, services: named } = member.credential
  if (!roles.includes(role)) throw new CredentialError('NotGranted', `its credential does not make it a ${role}`)
  for (const name of [...services.map(({ contract }) => contract.name), ...eligible]) {
    if (!covers(named, name))
      throw new CredentialError('NotGranted', `its credential does not name the service ${name}`)
  }
  return member
}

/** Of these whoever passes a statement on may not have known yet, by its clock or for want of news. */
const EXCUSABLE: readonly CredentialFault[] = ['Expired', 'NotYetValid', 'Revoked']

/** Whether nobody honest would have passed this on. */
export function isForgery({ fault }: CredentialError): boolean {
  return !EXCUSABLE.includes(fault)
}
