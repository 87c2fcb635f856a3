/**
 * How a peer finds the mesh and hears of everybody in it. Four ways, each enough by itself for what it is for:
 *
 * - {@link Bootstrapper}: relays from the settings, neighbours by mDNS, and peers met before ({@link KnownPeers})
 * - {@link Gossip}: adverts, goodbyes and load as they happen
 * - {@link Directory}: the DHT, for services that nobody gossiped about, asked by {@link createFinder}
 * - {@link SnapshotReader}: all adverts at once, for a newcomer
 *
 * What they bring ends in the one ledger. {@link Following} decides which services are worth listening for, and
 * {@link Relays} that enough relays are connected, {@link DirectWays} looks for shorter ways to peers behind NATs.
 */
export { learnAddrs } from './addresses.ts'
export { type AskOptions, askPeer } from './ask.ts'
export { type Bootstrap, Bootstrapper, fetchBootstrap, type RelaySource } from './bootstrap.ts'
export { DirectWays } from './direct-ways.ts'
export { Directory } from './directory.ts'
export { createFinder } from './finder.ts'
export { Following } from './following.ts'
export { Gossip, type GossipCounts } from './gossip.ts'
export { KnownPeers } from './known-peers.ts'
export { PassersBy } from './passers-by.ts'
export { reach } from './reach.ts'
export { Relays } from './relays.ts'
export { Senders } from './senders.ts'
export { MAX_SNAPSHOT, readSnapshot, SNAPSHOT_PATH, SnapshotReader, sealedAdverts, snapshotOf } from './snapshot.ts'
