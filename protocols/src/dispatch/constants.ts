/** Times are in milliseconds, sizes in bytes. */

// Expected latency

/** Time constant in which a peak fades to the mean: a pause of a garbage collector is forgotten in half a minute. */
export const PEAK_DECAY = 10_000
/** Weight of one more sample in the mean: about the last ten count. */
export const MEAN_WEIGHT = 0.2
/** After so long without a sample a worker is as unknown as a new one ... */
export const LATENCY_MEMORY = 10 * 60_000
/** ... and already when others gave so many answers since, ... */
export const RETEST_ANSWERS = 200
/** ... but no sooner than this: at most half a percent of the requests, and few in number, go to see. */
export const RETEST_INTERVAL = 2000
/**
 * Answers of a new worker that aren't held against it: they pay for dialling and warming up. With the first one alone, a
 * worker that joins a mesh of warm ones would be shunned for seconds.
 */
export const WARM_UP_ANSWERS = 3
/** What a worker is expected to take when nothing at all is known, not even about its fellows. */
export const DEFAULT_LATENCY = 50
/** Share of the measured latency that counts as the worker's own work, however much of it the round trip explains. */
export const MIN_SERVICE_SHARE = 0.1
/**
 * Weight of a round trip that is longer than those before: a busy process on either side delays a ping as well, which is
 * load and not distance. A shorter one counts in full.
 */
export const ROUND_TRIP_WEIGHT = 0.1
/** A round trip older than this is measured again when the peer is used. */
export const ROUND_TRIP_MEMORY = 10_000
/** Workers scored for the record even when they were not drawn; in larger sets only the drawn ones are. */
export const MAX_SCORED = 16

// Penalties, in answers that one would have to wait for

/** What waiting for one such answer takes at the least: trying another worker costs time however fast the service is. */
export const PENALTY_UNIT = 10

/** Time constant in which a penalty fades. */
export const PENALTY_DECAY = 5000
/** Its queue is full; the next place may be free soon. */
export const BUSY_PENALTY = 4
/** It failed, or is still starting: seconds rather than milliseconds. */
export const FAILURE_PENALTY = 16
/** It said that it is leaving or doesn't offer the service any more: its advert is about to follow. */
export const LEAVING_PENALTY = 64
/** Whatever it did, it's forgiven within half a minute. */
export const MAX_PENALTY = 256

// Ejection

/** So many failures in a row that could be the request's fault take a worker out. */
export const MAX_FAILURES = 5
/** The first time out; each further one doubles it. */
export const EJECTION = 5000
export const MAX_EJECTION = 60_000
/** After so long in routing the next ejection is a first one again. */
export const EJECTION_MEMORY = 5 * 60_000
/** Between two pings that ask whether an ejected peer is back, while there is a connection to it. */
export const PROBE_INTERVAL = 1000

/** Such pings, a second apart, after a request had to be refused because nobody else was there. */
export const WATCH_PINGS = 30

// Heartbeat: a request in hand for a second, pinged then and a second later, both unanswered for 2 s: wedged after 4 s.

export const PING_INTERVAL = 1000
export const PING_TIMEOUT = 2000
/**
 * A ping that is unanswered for so long, or for {@link DOUBT_ROUND_TRIPS} of the peer's usual round trips, raises a
 * doubt: long before the peer counts as wedged, an idempotent request it has in hand is sent to another one too.
 */
export const DOUBT_AFTER = 400
export const DOUBT_ROUND_TRIPS = 4
export const MAX_MISSED_PINGS = 2
/**
 * Whoever could have been asked but wasn't, and hasn't been heard of for so long, is pinged: it may be gone, and nobody
 * would notice before the next request runs into it. With two misses it is out of routing after 7 s.
 */
export const UNHEARD_AFTER = 3000
/**
 * Between two looks whether a worker still offers what it has in hand: one whose backend has stopped answering says so by
 * offering it no more, and answers pings all the while.
 */
export const LOOK_INTERVAL = 1000
/** So much more of an upload taken in shows that the peer lives: half a second at 1 Mbit/s. */
export const SIGN_OF_LIFE = 64 * 1024

// Retries and hedges

/** Attempts for one request, the first included. */
export const MAX_ATTEMPTS = 5
/** Time constant of "recent" for the retry budget. */
export const BUDGET_MEMORY = 10_000
/** Retries that recent requests earn, each. */
export const BUDGET_SHARE = 0.2
/** Recent retries that are free: ten a second, so that a service seldom used can retry at all. */
export const BUDGET_RESERVE = 100
/**
 * What a retry costs when the worker refused or could not be reached. Nothing was executed, so it is far cheaper than
 * doing the work twice; but it isn't free, or an overloaded mesh would be asked five times as often as before.
 */
export const REFUSAL_COST = 0.2
/** Waits before the only worker is asked again, each with jitter of a half; together well under a second. */
export const BACKOFF = [100, 300] as const
/** Hedge after this quantile of recent latencies ... */
export const HEDGE_QUANTILE = 0.95
/** ... once so many are known ... */
export const HEDGE_MIN_SAMPLES = 100
/** ... and never sooner than this. */
export const HEDGE_FLOOR = 50
/** Latencies kept for median and quantile. */
export const QUANTILE_WINDOW = 256
/** Samples between two computations of them. */
export const QUANTILE_REFRESH = 32

// Bodies

/** Of a request body: kept so that another worker can be sent the same. */
export const REPLAY_LIMIT = 1024 * 1024
/** Of an answer to an idempotent operation: withheld until complete. */
export const WITHHOLD_LIMIT = 64 * 1024
/** Of a problem that a worker sends. */
export const MAX_PROBLEM = 16 * 1024

// Lookups

/** A caller waits no longer than this for the DHT. */
export const LOOKUP_WAIT = 1000
/** A lookup goes on for as long, for those who come later. */
export const LOOKUP_TIMEOUT = 10_000
/** A fruitless lookup is not repeated sooner. */
export const LOOKUP_MEMORY = 5000
/** Lookups under way; strangers choose the names. */
export const MAX_LOOKUPS = 16
/** Fruitless lookups remembered. */
export const MAX_MISSES = 1000

// Answers that say when to come back, in seconds

export const NO_WORKER_RETRY_AFTER = 5
export const LOADING_RETRY_AFTER = 5
export const WEDGED_RETRY_AFTER = 2
export const MAX_RETRY_AFTER = 60

// Memory

/** Peers whose behaviour is remembered. */
export const MAX_PEERS = 10_000
/** Services for which budgets and totals are kept. */
export const MAX_SERVICES = 1000
/** Operations of one service for which latencies are kept. */
export const MAX_OPERATIONS = 256
/** Decisions kept, ... */
export const MAX_RECORDS = 1000
/** ... and for how long. */
export const RECORD_MEMORY = 10 * 60_000
/** Candidates kept in one decision. */
export const MAX_RECORDED_CANDIDATES = 32

/**
 * Until a connection to a service that speaks TCP must be open. More than opening its stream and the worker's own connection
 * may take each, so that whichever of them fails says so itself.
 */
export const CONNECTION_TIMEOUT = 30_000
