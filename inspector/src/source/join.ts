import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsers } from '@hedgerow/daemon/config'
import { fetchBootstrap, type RelaySource, readSnapshot } from '@hedgerow/daemon/discovery'
import { loadIdentity } from '@hedgerow/daemon/identity'
import { createLog, LOG_LEVELS, type LogLevel } from '@hedgerow/daemon/logging'
import { loadManifests } from '@hedgerow/daemon/manifest'
import { createPeer, noServices, type Peer } from '@hedgerow/daemon/peer'
import { SHIPPED_SERVICES } from '@hedgerow/daemon/services'
import { DEFAULT_MESH, HTTP_PROTOCOL } from '@hedgerow/protocols/ids'
import { InspectorError } from '../errors.ts'
import { VERSION } from '../version.ts'

/** Milliseconds from the first dial to a view that knows the mesh. */
const JOIN_TIMEOUT = 10_000

export interface JoinInit {
  /** URLs or multiaddrs, comma-separated */
  relay: string
  mesh?: string
}

export interface Joined {
  peer: Peer
  leave(): Promise<void>
}

/**
 * Joins as a client with a key of its own, and resolves when the view knows who is in the mesh.
 *
 * @throws {InspectorError} Usage or Unreachable
 */
export async function joinMesh(init: JoinInit, signal: AbortSignal): Promise<Joined> {
  const relays = relaysOf(init.relay)
  const mesh = init.mesh ?? (await meshOf(relays, signal))
  const dataDir = await mkdtemp(join(tmpdir(), 'hedgerow-inspector-'))
  const onExit = (): void => rmSync(dataDir, { recursive: true, force: true })
  process.once('exit', onExit)
  let peer: Peer | undefined
  const leave = async (): Promise<void> => {
    await peer?.stop()
    await rm(dataDir, { recursive: true, force: true })
    process.removeListener('exit', onExit)
  }
  try {
    // So that a service is known by its names, and missed, when nobody offers it.
    const { manifests } = await loadManifests([SHIPPED_SERVICES])
    peer = await createPeer(
      {
        privateKey: await loadIdentity(dataDir),
        mesh,
        role: 'client',
        name: 'inspector',
        version: VERSION,
        dataDir,
        capabilities: { cores: 0, memory: 0, disk: 0, gpus: [], arch: process.arch, platform: process.platform },
        relays,
        listen: [],
        announce: [],
        iceServers: [],
        mdns: false
      },
      {
        services: noServices(manifests.map(({ contract }) => contract)),
        log: await createLog(logLevel(process.env.LOG_LEVEL), 'inspector')
      }
    )
    await getToKnow(peer, init.relay, signal)
    return { peer, leave }
  } catch (err) {
    await leave()
    throw err
  }
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
async function meshOf(relays: RelaySource[], signal: AbortSignal): Promise<string> {
  const urls = relays.flatMap(relay => ('url' in relay ? [relay.url] : []))
  const reasons: string[] = []
  for (const url of urls) {
    try {
      return (await fetchBootstrap(url, signal)).mesh
    } catch (err) {
      signal.throwIfAborted()
      reasons.push(`${url}: ${reasonOf(err)}`)
    }
  }
  if (urls.length < relays.length || urls.length === 0) return DEFAULT_MESH
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
