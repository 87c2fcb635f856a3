import { parsers } from '@hedgerow/daemon/config'
import { fetchBootstrap, type RelaySource, readSnapshot } from '@hedgerow/daemon/discovery'
import { createLog, LOG_LEVELS, type LogLevel } from '@hedgerow/daemon/logging'
import { loadManifests } from '@hedgerow/daemon/manifest'
import { createPeer, noServices, type Peer } from '@hedgerow/daemon/peer'
import { SHIPPED_SERVICES } from '@hedgerow/daemon/services'
import { DEFAULT_MESH, HTTP_PROTOCOL } from '@hedgerow/protocols/ids'
import { InspectorError } from '../errors.ts'
import { VERSION } from '../version.ts'
import { becomeMember, type MemberInit } from './member.ts'

/** Milliseconds from the first dial to a view that knows the mesh. */
const JOIN_TIMEOUT = 10_000

export interface JoinInit extends MemberInit {
  /** URLs or multiaddrs, comma-separated. @default those that the invite names */
  relay?: string
  mesh?: string
  /** multiaddrs to be reached by. @default none */
  listen?: string[]
  /** called before the peer starts */
  onPeer?(peer: Peer): void
}

export interface Joined {
  peer: Peer
  /** where it joined, comma-separated */
  relay: string
  leave(): Promise<void>
}

/**
 * Joins as a client with a key of its own, and resolves when the view knows who is in the mesh. In a closed mesh it is
 * what it was invited as, or a guest for the time of a command.
 *
 * @throws {InspectorError} Usage or Unreachable
 */
export async function joinMesh(init: JoinInit, signal: AbortSignal): Promise<Joined> {
  const log = await createLog(logLevel(process.env.LOG_LEVEL), 'inspector')
  const patience = AbortSignal.any([signal, AbortSignal.timeout(JOIN_TIMEOUT)])
  const given = init.relay == null ? [] : relaysOf(init.relay)
  const seen = given.length === 0 ? undefined : await meshOf(given, init.mesh, signal)
  const { privateKey, dataDir, membership, forget } = await becomeMember(init, seen, log, patience)
  const relays = given.length > 0 ? given : membership.relays.map(url => ({ url }))
  let peer: Peer | undefined
  const leave = async (): Promise<void> => {
    await peer?.stop()
    await forget()
  }
  try {
    // So that a service is known by its names, and missed, when nobody offers it.
    const { manifests } = await loadManifests([SHIPPED_SERVICES])
    peer = await createPeer(
      {
        privateKey,
        mesh: membership.mesh,
        role: 'client',
        name: 'inspector',
        version: VERSION,
        dataDir,
        capabilities: { cores: 0, memory: 0, disk: 0, gpus: [], arch: process.arch, platform: process.platform },
        relays,
        listen: init.listen ?? [],
        announce: [],
        iceServers: [],
        mdns: false
      },
      { services: noServices(manifests.map(({ contract }) => contract)), membership, log }
    )
    init.onPeer?.(peer)
    await getToKnow(peer, relays.map(nameOf).join(', '), signal)
    return { peer, relay: relays.map(nameOf).join(','), leave }
  } catch (err) {
    await leave()
    throw err
  }
}

function nameOf(relay: RelaySource): string {
  return 'url' in relay ? relay.url : relay.addr
}

function relaysOf(relay: string): RelaySource[] {
  try {
    const relays = parsers.relays(relay)
    if (relays.length > 0) return relays
  } catch (err) {
    throw new InspectorError('Usage', `--relay: ${err instanceof Error ? err.message : String(err)}`)
  }
  throw new InspectorError('Usage', '--relay: name a URL such as https://mesh.example.org, or a multiaddr')
}

/** Protocol ids hold the mesh's name, so it must be known before the node is made. */
async function meshOf(
  relays: RelaySource[],
  named: string | undefined,
  signal: AbortSignal
): Promise<{ mesh: string; authority?: string | undefined; urls: string[] }> {
  const urls = relays.flatMap(relay => ('url' in relay ? [relay.url] : []))
  const reasons: string[] = []
  for (const url of urls) {
    try {
      const { mesh, authority } = await fetchBootstrap(url, signal)
      if (named == null || named === mesh) return { mesh, authority, urls }
      return { mesh: named, urls }
    } catch (err) {
      signal.throwIfAborted()
      reasons.push(`${url}: ${reasonOf(err)}`)
    }
  }
  if (named != null || urls.length < relays.length || urls.length === 0) return { mesh: named ?? DEFAULT_MESH, urls }
  throw new InspectorError('Unreachable', `no relay answers (${reasons.join('; ')})`, [
    'is it running, and is this its HTTP address? `npm start` prints it'
  ])
}

/** Starts the peer and learns from the first one it meets who else there is. */
async function getToKnow(peer: Peer, relay: string, signal: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(JOIN_TIMEOUT)
  const patience = AbortSignal.any([signal, timeout])
  let met = 0
  try {
    await new Promise<void>((resolve, reject) => {
      patience.addEventListener('abort', () => reject(patience.reason), { once: true })
      peer.node.addEventListener('peer:identify', ({ detail: { peerId, protocols } }) => {
        met++
        if (protocols.includes(HTTP_PROTOCOL)) readSnapshot(peer, peerId.toString(), patience).then(resolve, () => {})
      })
      peer.start().catch(reject)
    })
  } catch (err) {
    if (!timeout.aborted) throw err
    throw new InspectorError(
      'Unreachable',
      met === 0
        ? `nobody could be reached through ${relay} within ${JOIN_TIMEOUT / 1000} s`
        : `${relay} was reached, but nobody there told who is in the mesh ${JSON.stringify(peer.self.mesh)} within ${JOIN_TIMEOUT / 1000} s`,
      met === 0 ? [] : ['a relay named by its multiaddr may be of another mesh: name it with --mesh']
    )
  }
}

function logLevel(value: string | undefined): LogLevel {
  return LOG_LEVELS.find(level => level === value) ?? 'silent'
}

function reasonOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  if ('code' in err && err.code === 'ECONNREFUSED') return 'nothing listens there'
  return err.message === '' && 'code' in err ? String(err.code) : err.message
}
