// Sharing a machine.

/** How often each core is given away: services wait more than they compute, and the kernel shares the rest out. */
export const CORE_OVERCOMMIT = 4
/** The share of the memory that services get; the rest is for the system, the daemon and surprises. */
export const MEMORY_SHARE = 0.8

// Patience, in milliseconds.

/** How long a service goes on here that runs elsewhere often enough: a worker that comes and goes moves nothing. */
export const SUPERFLUOUS_PATIENCE = 60_000
/**
 * How long others wait for those that the plan names. Longer than a service takes to start; one that its worker can't
 * start at all gets a stand-in after that.
 */
export const GAP_PATIENCE = 90_000
/** How long what should run here waits for room that something takes which others should run, but don't. */
export const BLOCKED_PATIENCE = 120_000

// The loop, in milliseconds.

/** After the start: until nothing has changed for so long, but no longer than that, a decision would be premature. */
export const FIRST_REST = 1000
export const FIRST_REST_MAX = 5000
/** From a change to the decision, at least and at most; chance keeps workers from deciding all at once. */
export const DECIDE_MIN = 300
export const DECIDE_MAX = 1000
/** Between two decisions when nothing changes. */
export const DECIDE_INTERVAL = 10_000
/** How much of the interval is left to chance. */
export const DECIDE_JITTER = 0.2
