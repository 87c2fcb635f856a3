import type { Role } from '@hedgerow/protocols/advert'
import type { PrivateKey } from '@libp2p/interface'
import type { Logger } from 'pino'
import type { PeerSettings } from '../config/index.ts'
import type { RelaySource } from '../discovery/index.ts'
import { peerIdOf } from '../identity/index.ts'
import { joinByMembership, type Membership, openMembership } from '../membership/index.ts'
import { resolveMesh } from './mesh-name.ts'

/**
 * Which mesh this peer is in and as what: closed, by a credential or an invite; else open. May wait for a relay.
 *
 * @returns the relays to join through too, which an invite may name
 * @throws {ConfigError}
 */
export async function resolveMembership(
  settings: PeerSettings,
  dataDir: string,
  privateKey: PrivateKey,
  role: Role,
  log: Logger
): Promise<{ membership: Membership; relays: RelaySource[] }> {
  const { credential, invite, mesh } = settings
  const closed = await joinByMembership({
    dataDir,
    privateKey,
    role,
    log,
    ...(credential == null ? {} : { credential }),
    ...(invite == null ? {} : { invite }),
    ...(mesh == null ? {} : { mesh })
  })
  if (closed != null) {
    const invited = closed.relays.map(url => ({ url }))
    return { membership: closed, relays: settings.relay.length > 0 ? settings.relay : invited }
  }
  const name = await resolveMesh(mesh, settings.relay, dataDir, log, peerIdOf(privateKey))
  return { membership: openMembership(name, { dataDir, privateKey, log }), relays: settings.relay }
}
