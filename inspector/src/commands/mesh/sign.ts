import { formatMembership } from '@hedgerow/daemon/membership'
import { grant, peekToken } from '@hedgerow/protocols/membership'
import { peerIdOf, type RightsOptions, rightsOf } from './rights.ts'
import { type AskPassphrase, openOffline, refusing } from './signer.ts'

export interface SignOptions extends RightsOptions {
  dir: string
  days: number
}

export interface SignReport {
  peer_id: string
  mesh: string
  roles: string[]
  services: string[]
  classes: string[]
  /** ISO 8601 */
  expires_at: string
  /** the file for HEDGEROW_CREDENTIAL */
  membership: string
}

/** A credential by the authority itself. @throws {InspectorError} */
export async function signPeer(peer: string, options: SignOptions, passphrase: AskPassphrase): Promise<SignReport> {
  const subject = peerIdOf(peer)
  const rights = rightsOf(options)
  const { mesh, authority, privateKey } = await openOffline(options.dir, passphrase)
  const credential = await refusing(grant({ mesh, subject, ...rights, ttl: options.days * 86_400 }, { privateKey }))
  return {
    peer_id: subject,
    mesh,
    ...rights,
    expires_at: new Date(Number(peekToken(credential).exp) * 1000).toISOString(),
    membership: formatMembership({ mesh, authority, credential })
  }
}
