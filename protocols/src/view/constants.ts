/** Peers kept. An advert takes a few KiB, so this is tens of MiB at the most. */
export const MAX_PEERS = 10_000

/** Service names kept, with or without workers: a stranger can invent 64 with each advert. */
export const MAX_SERVICE_NAMES = 10_000

/** Milliseconds that a service is known by name after it was last offered: until then it is "not now", not "never". */
export const SERVICE_MEMORY = 24 * 60 * 60_000

/**
 * Milliseconds that the last sequence of a peer that left is remembered. Its older adverts may lie in the DHT and in
 * other peers' memories for as long, and must not bring it back.
 */
export const GONE_MEMORY = 24 * 60 * 60_000

/** Milliseconds that a load report is kept when no advert tells whose it is. */
export const LOAD_MEMORY = 10 * 60_000

/** So many announced intervals without a report make a worker silent: one or two get lost in gossip now and then. */
export const SILENT_INTERVALS = 3

/** Milliseconds on top, for jitter and the way through the mesh. */
export const SILENT_SLACK = 1000

/** Milliseconds that a worker is trusted on its advert alone: time to join its topic and hear the first report. */
export const SILENT_GRACE = 10_000
