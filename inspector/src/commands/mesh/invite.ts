import { type Bootstrap, fetchBootstrap } from '@hedgerow/daemon/discovery'
import { type InviteInit, readInvite, sealInvite, withinIssuer } from '@hedgerow/protocols/membership'
import { InspectorError } from '../../errors.ts'
import { durationOf, peerIdOf, type RightsOptions, rightsOf } from './rights.ts'
import { refusing, type Signer } from './signer.ts'

export interface InviteOptions extends RightsOptions {
  uses: number
  /** how long the invite is good, as in 7d */
  expires: string
  /** how long each credential lasts, as in 30d */
  lasts: string
  /** the peer id of the relay that redeems it. @default the signer itself, else the first relay's */
  issuer?: string
  relay: string[]
}

export interface InviteReport {
  /** what HEDGEROW_INVITE is set to */
  invite: string
  id: string
  mesh: string
  issuer: string
  relays: string[]
  roles: string[]
  services: string[]
  classes: string[]
  uses: number
  /** ISO 8601 */
  expires_at: string
  /** what to think of before it is sent */
  warnings: string[]
}

/** @throws {InspectorError} */
export async function makeInvite(signer: Signer, options: InviteOptions, signal: AbortSignal): Promise<InviteReport> {
  const rights = rightsOf(options)
  const expiresIn = durationOf('--expires', options.expires)
  const ttl = durationOf('--lasts', options.lasts)
  const relays = options.relay.map(webAddress)
  if (relays.length === 0)
    throw new InspectorError(
      'Usage',
      '--relay: say where the newcomer goes: the web address of the relay that redeems it'
    )
  const init: InviteInit = {
    mesh: signer.mesh,
    authority: signer.authority,
    issuer: await issuerOf(signer, options.issuer, relays, signal),
    relays,
    ...rights,
    uses: options.uses,
    ttl,
    expiresAt: Math.floor(Date.now() / 1000) + expiresIn
  }
  checkGrantable(init, signer)
  const invite = await refusing(sealInvite(init, signer.privateKey))
  const { id } = await refusing(readInvite(invite))
  return {
    invite,
    id,
    mesh: init.mesh,
    issuer: init.issuer,
    relays,
    ...rights,
    uses: init.uses,
    expires_at: new Date(init.expiresAt * 1000).toISOString(),
    warnings: relays.filter(isExposed).map(url => `${url} is not https: whoever listens on the way can use the invite`)
  }
}

async function issuerOf(
  { mesh, issuer: self }: Signer,
  named: string | undefined,
  [relay = '']: string[],
  signal: AbortSignal
): Promise<string> {
  if (self != null) {
    if (named == null || named === self.peerId) return self.peerId
    throw new InspectorError('Usage', `--issuer: a relay makes invites for itself, which is ${self.peerId}`)
  }
  if (named != null) return peerIdOf(named)
  let bootstrap: Bootstrap
  try {
    bootstrap = await fetchBootstrap(relay, signal)
  } catch (err) {
    signal.throwIfAborted()
    const reason = err instanceof Error ? err.message || ('code' in err ? String(err.code) : '') : String(err)
    throw new InspectorError('Unreachable', `the relay can't be asked who it is: ${reason}`, [
      'name it with --issuer <peer id>; then no connection is needed'
    ])
  }
  if (bootstrap.mesh !== mesh)
    throw new InspectorError('Failed', `${relay} is a relay of ${bootstrap.mesh}, and this authority's mesh is ${mesh}`)
  // Its own address comes first.
  return peerIdOf(bootstrap.peers[0]?.getComponents().findLast(({ name }) => name === 'p2p')?.value ?? '')
}

/** Said at once, and not when somebody stands there with the invite. */
function checkGrantable(init: InviteInit, { issuer }: Signer): void {
  const limits = issuer?.credential ?? { roles: [], services: ['*'], classes: init.classes }
  const { roles, services, classes } = withinIssuer(init, limits)
  const refuse = (what: string, hint: string): never => {
    throw new InspectorError('Failed', `no issuer may grant ${what}`, [hint])
  }
  if (roles.length < init.roles.length)
    refuse(`the roles ${init.roles.join(', ')}`, 'invites are for clients and workers; others: hedgerow mesh sign')
  if (classes.length < init.classes.length)
    refuse(
      `the classes ${init.classes.join(', ')}`,
      'this relay has fewer, and `confidential` only the authority gives'
    )
  if (services.join() !== init.services.join())
    refuse(`the services ${init.services.join(', ')}`, `this relay may grant ${limits.services.join(', ')}`)
}

function webAddress(text: string): string {
  const url = URL.parse(text)
  if (url != null && /^https?:$/.test(url.protocol)) return url.href.replace(/\/$/, '')
  throw new InspectorError('Usage', `--relay: ${text} is not a URL such as https://mesh.example.org`)
}

function isExposed(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)
}
