import type { Role } from '@hedgerow/protocols/advert'
import type { Gate } from '@hedgerow/protocols/gate'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Logger } from 'pino'
import { systemClock } from '../clock/index.ts'
import { askDialBack, DialBack, networkKindOf, type Outcome, readTarget, seenAt } from '../dial-back/index.ts'
import { type Claim, EntryFinder, EntryPoints, Prover } from '../entry/index.ts'
import { announceAnew } from '../node/index.ts'
import type { Network } from './network.ts'

export interface EntryInit {
  mesh: string
  privateKey: ConstructorParameters<typeof DialBack>[1]['privateKey']
  role: Role
  /** multiaddrs of the public URL that it has now */
  publicAddrs(): readonly string[]
  /** it has a URL of the internet, or will have one */
  hasPublicWay: boolean
  /** that URL leads to a listener of its own, by a tunnel or proxy */
  isTunnelled: boolean
  /** multiaddrs of its HTTP listener */
  entrances: readonly string[]
  /** other addresses that its owner says it has */
  announce: readonly string[]
  /** it is an entry point by other addresses than before, or has new proof of the same */
  onChange(): void
  log: Logger
}

/** What of a peer has to do with entry points, put together. */
export interface Entry {
  readonly prover: Prover
  readonly points: EntryPoints
  readonly dialBack: DialBack
  /** what came of dials that others asked for */
  readonly dialBacks: ReadonlyMap<Outcome, number>
  start(): void
  /** the public URL is another */
  changed(): void
  stop(): void
}

/** Addresses of the HTTP listener that are tried: a machine with containers has many that nobody else is on. */
const MAX_LOCAL = 3
const MAX_CLAIMS = 8

export function createEntry(
  network: Pick<Network, 'node' | 'gate' | 'view' | 'ledger' | 'pinger' | 'invoker' | 'directory'>,
  init: EntryInit
): Entry {
  const { node, gate, view, ledger, pinger, invoker, directory } = network
  const { mesh, privateKey, role, log } = init
  const self = node.peerId.toString()
  const { reachability, dialler } = node.services
  const now = (): number => performance.now()
  const points = new EntryPoints({ mesh, ledger, view, now, today: Date.now })
  const dialBacks = new Map<Outcome, number>()
  const dialBack = new DialBack(
    {
      dial: (target, peer, resolved, signal) => dialler.dial(target, peer, resolved, signal),
      askerOf: peerId => ({
        seenAt: seenAt(node.getConnections(peerIdFromString(peerId))),
        announced: (view.peer(peerId)?.advert.addrs ?? []).map(addr => addr.replace(/\/p2p\/[^/]+$/, ''))
      }),
      ownIps: () => reachability.publicIps(),
      now,
      today: Date.now,
      log,
      onOutcome: outcome => dialBacks.set(outcome, (dialBacks.get(outcome) ?? 0) + 1)
    },
    { mesh, privateKey }
  )
  const prover = new Prover({
    claims: () => claimsOf(init, reachability.publicAddrs()),
    askable: () => askable({ node, gate, view }, self),
    ask: (peerId, addr, signal) => askDialBack(invoker, peerId, addr, signal),
    clock: systemClock,
    random: Math.random,
    log,
    onChange({ proved, lost, failed }) {
      const isOwn = (addr: string): boolean => reachability.publicAddrs().some(one => one.addr === addr)
      for (const addr of proved) if (isOwn(addr)) reachability.confirm(addr)
      for (const addr of [...lost, ...failed]) if (isOwn(addr)) reachability.refute(addr)
      if (proved.length + lost.length + failed.length > 0)
        announceAnew(node).catch(err => log.error({ err }, 'could not announce the new addresses'))
      init.onChange()
    }
  })
  const finder = new EntryFinder({
    directory,
    view,
    self,
    ping: (peerId, signal) => pinger.ping(peerId, signal),
    now,
    log
  })
  const unwatch: Array<() => void> = []
  return {
    prover,
    points,
    dialBack,
    dialBacks,
    changed: () => prover.changed(),
    start() {
      // A client is here for one question.
      if (role === 'client') return
      const onMet = (): void => {
        prover.met()
        if (role === 'relay' && node.getPeers().length === 1) void finder.look()
      }
      const onUpdate = (): void => prover.changed()
      node.addEventListener('peer:identify', onMet)
      node.addEventListener('self:peer:update', onUpdate)
      unwatch.push(
        () => node.removeEventListener('peer:identify', onMet),
        () => node.removeEventListener('self:peer:update', onUpdate),
        view.addListener(change => {
          if (change.type === 'gone') prover.left(change.peerId)
          else if (change.type === 'peer' && change.peerId !== self) prover.met()
        })
      )
      prover.start()
      // The list is what relays are asked for.
      if (role === 'relay') finder.start()
    },
    stop() {
      for (const end of unwatch.splice(0)) end()
      prover.stop()
      finder.stop()
      points.stop()
    }
  }
}

function claimsOf(init: EntryInit, publicAddrs: readonly { addr: string; isGuess: boolean }[]): Claim[] {
  const { hasPublicWay, isTunnelled, entrances, announce } = init
  const claims: Claim[] = init.publicAddrs().map(addr => ({ addr, from: isTunnelled ? 'tunnel' : 'setting' }))
  const ofInternet = (addr: string): boolean => {
    const target = readTarget(addr)
    // Names are of the internet until they are looked up.
    return target != null && (networkKindOf(target.host) ?? 'public') === 'public'
  }
  claims.push(...announce.filter(ofInternet).map((addr): Claim => ({ addr, from: 'setting' })))
  claims.push(...entrances.filter(ofInternet).map((addr): Claim => ({ addr, from: 'machine' })))
  // A relay that is meant for the internet is of no use to it by an address of its own network.
  if (!hasPublicWay)
    claims.push(
      ...entrances
        .filter(addr => !ofInternet(addr))
        .slice(0, MAX_LOCAL)
        .map((addr): Claim => ({ addr, from: 'machine' }))
    )
  claims.push(...publicAddrs.map(({ addr, isGuess }): Claim => ({ addr, from: isGuess ? 'guess' : 'machine' })))
  const seen = new Set<string>()
  return claims.filter(({ addr }) => readTarget(addr) != null && !seen.has(addr) && seen.add(addr)).slice(0, MAX_CLAIMS)
}

/** Relays first, and of each kind those that are connected; otherwise by chance, so that all are asked. */
function askable(
  { node, gate, view }: Pick<Network, 'node' | 'view'> & { gate: Pick<Gate, 'isMember'> },
  self: string
): string[] {
  const connected = new Set(node.getPeers().map(String))
  const rank = ({ role, peerId }: { role: Role; peerId: string }): number =>
    (role === 'relay' ? 0 : 2) + (connected.has(peerId) && gate.isMember(peerId) ? 0 : 1)
  return [...view.peers()]
    .filter(({ advert, silent }) => advert.peerId !== self && advert.role !== 'client' && !silent)
    .map(({ advert }) => ({ peerId: advert.peerId, rank: rank(advert), by: Math.random() }))
    .sort((a, b) => a.rank - b.rank || a.by - b.by)
    .map(({ peerId }) => peerId)
}
