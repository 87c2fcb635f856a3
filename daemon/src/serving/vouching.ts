/** For whom a peer asks: what it says of others is believed of those whose part that is. */
import type { Role } from '@hedgerow/protocols/advert'

export interface VouchingComponents {
  self: string
  /** undefined for a peer that nobody has heard of */
  roleOf(peerId: string): Role | undefined
}

/** @returns whether `peerId` may say that it asks for `caller` */
export type Vouching = (peerId: string, caller: string) => boolean

const CALLER = /^(service|key|oidc|peer)\/[\x21-\x7e]{1,256}$/

/**
 * Relays and workers are where callers enter, who are known to them alone. A service calls on its own account through the
 * worker that runs it. Clients speak for themselves.
 */
export function vouching({ self, roleOf }: VouchingComponents): Vouching {
  return (peerId, caller) => {
    const [, kind] = CALLER.exec(caller) ?? []
    if (kind == null) return false
    if (peerId === self) return true
    const role = roleOf(peerId)
    return role === 'worker' || (role === 'relay' && kind !== 'service')
  }
}
