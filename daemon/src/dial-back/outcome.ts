import type { Scope } from '@hedgerow/protocols/vouch'

/**
 * - `reached`: the peer is there. - `unreachable`: nobody is, or somebody else; the name may have no address
 * - `refused`: not an address that is dialled for that peer. - `same-address`: of this peer's own address
 * - `busy`: asked too often, or by too many
 */
export const OUTCOMES = ['reached', 'unreachable', 'refused', 'same-address', 'busy'] as const
export type Outcome = (typeof OUTCOMES)[number]

export type DialBackResult =
  | { outcome: 'reached'; scope: Scope; vouch: Uint8Array }
  | { outcome: Exclude<Outcome, 'reached'> }
