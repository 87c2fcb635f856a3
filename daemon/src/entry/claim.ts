import { isIP } from 'node:net'
import type { EntryKind } from '@hedgerow/protocols/advert'
import type { Scope } from '@hedgerow/protocols/vouch'
import { readTarget } from '../dial-back/index.ts'

/** An address at which this peer might be reached. */
export interface Claim {
  /** multiaddr, with no peer id */
  addr: string
  /**
   * where it comes from: a tunnel or proxy that brings the internet, what a setting or the machine says, or nothing but what others
   * saw of this peer
   */
  from: 'tunnel' | 'setting' | 'machine' | 'guess'
}

/** What an address that was reached is worth to others. */
export function kindOf({ addr, from }: Claim, scope: Scope): EntryKind {
  return from === 'tunnel' && mayBe('tunnel', addr, scope) ? 'tunnel' : scope
}

/** Whether an address that was reached from there may be called so. A tunnel may have a name that leads to it within a network, too. */
export function mayBe(kind: EntryKind, addr: string, scope: Scope): boolean {
  if (kind === 'local' || scope === 'public') return true
  const target = readTarget(addr)
  return kind === 'tunnel' && target != null && isIP(target.host) === 0
}

/** Where HTTP is spoken at a WebSocket's address, as an origin; undefined for plain TCP and what is no such address. */
export function urlOfAddr(addr: string): string | undefined {
  const target = readTarget(addr)
  if (target == null || target.by === 'tcp') return undefined
  const { host, port, by } = target
  return new URL(`${by === 'wss' ? 'https' : 'http'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`).origin
}
