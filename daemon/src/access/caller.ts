/** What a caller may ask of a peer's HTTP API; `docs/access.md` says which route needs which. */
export const RIGHTS = ['call', 'read', 'admin', 'enrol'] as const

export type Right = (typeof RIGHTS)[number]

/** Requests a second, and at once after a rest. */
export interface Rate {
  perSecond: number
  burst: number
}

/** Who sent a request, as far as this peer could make sure of it. */
export interface Caller {
  /** `local`: a program on this machine; `anonymous`: nobody that is known */
  kind: 'local' | 'key' | 'oidc' | 'peer' | 'anonymous'
  /** of the key; `issuer|subject`; the peer id; empty for the other two */
  id: string
  /** names of the services that may be called */
  services: '*' | readonly string[]
  rights: ReadonlySet<Right>
  /** of data that a member may see. @default those of the peer that it asks */
  classes?: readonly string[]
  /** left out where nothing is counted */
  rate?: Rate
  /** Whether what it is known by is good still: for connections that last. @default as long as the connection */
  isGood?(): boolean
}

/** Programs and people on this machine: they could as well read the peer's own files. */
export const LOCAL: Caller = { kind: 'local', id: '', services: '*', rights: new Set(RIGHTS) }

/** May ask for what is for everybody. */
export const ANONYMOUS: Caller = { kind: 'anonymous', id: '', services: [], rights: new Set() }

/**
 * Whoever comes to a listener of this machine alone by way of a page or a proxy that nobody has refused: may use the mesh
 * as the page or the proxy does, and see nothing of its inside.
 */
export const GUEST: Caller = { kind: 'anonymous', id: '', services: '*', rights: new Set(['call']) }

/** Everybody, where the operator has left the door open (`HEDGEROW_HTTP_OPEN`). Membership is never given away. */
export const OPEN: Caller = { kind: 'anonymous', id: '', services: '*', rights: new Set(['call', 'read', 'admin']) }

const MAX_LENGTH = 256
/** Kept as it is in logs and headers; everything else is percent-encoded. */
const UNSAFE = /[^\w.~:/|@+=-]/gu

/** The short form that logs, the audit and backends see: `local`, `key/<id>`, `oidc/<issuer>|<subject>`, `peer/<id>`. */
export function callerText({ kind, id }: Caller): string {
  if (id === '') return kind
  return `${kind}/${id.toWellFormed().replace(UNSAFE, encodeURIComponent)}`.slice(0, MAX_LENGTH)
}
