/**
 * Who calls this peer over HTTP, and what they may do. A listener on loopback needs no key from this machine's own
 * programs and pages; whoever else calls there, and everybody at any other listener, is known by an API key, a token of an
 * OIDC issuer, or a peer's credential with a proof of its key (DPoP). What routes need is in `routes.ts`, the bounds on
 * what strangers can make this peer do in `constants.ts`.
 *
 * @example
 * ```ts
 * const access = await openAccess({ dataDir, log, names: ['https://relay.example.org'] })
 * const gate = access.gate('public', { corsOrigins: ['*'] })
 * const caller = await gate.admit(request, response, 'call') // or throws a MeshError
 * ```
 */
import { Rates } from '@hedgerow/protocols/rate'
import type { Logger } from 'pino'
import { type AddressRange, addresses, isLoopbackAddress } from './address.ts'
import type { Rate } from './caller.ts'
import { ADDRESS_RATE, KEY_RATE, MAX_REMEMBERED } from './constants.ts'
import type { VerifyCredential } from './dpop.ts'
import { Gate, type ListenerKind } from './gate.ts'
import { Identities } from './identities.ts'
import { KeyStore } from './key-store.ts'
import { Localities } from './locality.ts'
import { createOidc, type OidcInit } from './oidc.ts'
import { OwnHosts } from './own-hosts.ts'
import { Proofs } from './proofs.ts'

export { type AddressRange, isLoopbackAddress, parseRange } from './address.ts'
export { ANONYMOUS, type Caller, callerText, LOCAL, OPEN, type Rate, RIGHTS, type Right } from './caller.ts'
export { Connections, type ConnectionsInit } from './connections.ts'
export type { VerifiedCredential, VerifyCredential } from './dpop.ts'
export { Gate, type ListenerKind } from './gate.ts'
export { type KeyRecord, newKey } from './key.ts'
export { changeKeys, KEY_LOCK, keysFile, readKeys } from './key-file.ts'
export { isAllowedOrigin, isLoopback } from './locality.ts'
export type { Grant, OidcInit } from './oidc.ts'
export { type Need, needOf, ROUTE_NEEDS } from './routes.ts'

/** What an operator says of access; see `docs/access.md`. */
export interface AccessSettings {
  /** nobody has to say who they are, at any listener. For trying out. @default false */
  open?: boolean
  /** whose tokens are taken. @default nobody's */
  oidc?: OidcInit
  /** proxies that may say for whom they ask. @default none */
  trustedProxies?: readonly AddressRange[]
  /** of one address. @default 200 requests a second, 400 at once */
  addressRate?: Rate
}

export interface AccessInit extends AccessSettings {
  /** where the keys are; left out where nobody calls but this process */
  dataDir?: string
  /** this peer's public URLs */
  names?: readonly string[]
  /** checks credentials of members; left out where a mesh has none */
  verifyCredential?: VerifyCredential
  log: Pick<Logger, 'info' | 'error'>
}

export interface Access {
  /** names by which this peer is called from elsewhere */
  readonly hosts: OwnHosts
  /** everybody may do everything but become a member */
  readonly open: boolean
  gate(kind: ListenerKind, init: { corsOrigins: readonly string[] }): Gate
  stop(): void
}

/** @throws {Error} when the file of keys isn't usable */
export async function openAccess(init: AccessInit): Promise<Access> {
  const { open = false, oidc, trustedProxies = [], addressRate = ADDRESS_RATE, names = [], verifyCredential } = init
  const keys = init.dataDir == null ? undefined : await KeyStore.open(init.dataDir, { log: init.log, now: Date.now })
  const hosts = new OwnHosts(names)
  const identities = new Identities({
    keys,
    oidc: oidc == null ? undefined : { ...createOidc(oidc), issuer: oidc.issuer },
    dpop:
      verifyCredential == null
        ? undefined
        : { verifyCredential, proofs: new Proofs({ now: Date.now }), isOwnHost: hosts.reaches, now: Date.now }
  })
  const now = (): number => performance.now()
  const rates = {
    addresses: new Rates({ ...addressRate, max: MAX_REMEMBERED, now }),
    callers: new Rates({ ...KEY_RATE, max: MAX_REMEMBERED, now })
  }
  const inHand = new Map<string, number>()
  return {
    hosts,
    open,
    gate: (kind, { corsOrigins }) =>
      new Gate(
        {
          identities,
          localities: new Localities(corsOrigins, hosts.has),
          addresses: addresses(trustedProxies, kind === 'tunnel'),
          rates,
          inHand
        },
        { kind, open: open && kind !== 'tunnel', corsOrigins, addressRate }
      ),
    stop: () => keys?.stop()
  }
}

/** Whether whoever listens at this address is reached from this machine alone. */
export function isLocalHost(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host)
}
