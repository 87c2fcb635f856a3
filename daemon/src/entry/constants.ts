/** Milliseconds after which a peer that was silent is no entry point any more. */
export const ENTRY_POINT_TTL = 120_000

/** Milliseconds between two proofs of one address, less up to a quarter by chance. */
export const RENEW_INTERVAL = 4 * 60_000

/** Milliseconds for which an address counts as proved when nobody could be asked again. Others count it for longer. */
export const PROOF_LIFETIME = 10 * 60_000

/** Milliseconds until an address that isn't reached is tried again: a new name takes seconds to be known everywhere. */
export const FIRST_RETRY = 5000
export const MAX_RETRY = 5 * 60_000

/** Milliseconds between two tries of what nobody could say, while new peers come that may be able to. */
export const MEET_INTERVAL = 1000

/** The same for an address that nobody claimed: most of these are behind a NAT, and stay there. */
export const MAX_GUESS_RETRY = 60 * 60_000

/** Rounds in a row that must fail before an address that was reached is given up: others have their own troubles. */
export const FAILURES_TO_LOSE = 2

/** Peers asked in one round, one after the other, until one has reached this peer. */
export const ASKED = 3

/** Milliseconds for one answer; the other side dials for up to 8 s. */
export const ASK_TIMEOUT = 12_000

/** Milliseconds in which news is gathered into one round. */
export const GATHER = 250

/** Milliseconds between two look-ups of entry points in the DHT. */
export const LOOKUP_INTERVAL = 5 * 60_000

/** Milliseconds for one look-up, and entry points found by it. */
export const LOOKUP_TIMEOUT = 30_000
export const MAX_FOUND = 64
