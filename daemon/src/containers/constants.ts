// Times in milliseconds, sizes in bytes.

/** For an engine to answer a question about itself. */
export const ASK_TIMEOUT = 5000
/** Between two looks whether the engine is still there, or is there by now. */
export const WATCH_INTERVAL = 10_000
/** For anything else that is asked of an engine: a start on a busy machine takes seconds. */
export const CALL_TIMEOUT = 60_000
/** What an engine says of itself; Docker's `/info` has some 10 KiB. */
export const MAX_ANSWER = 1024 * 1024

/** Without any news a pull has failed. */
export const PULL_STALL = 120_000
/** Between two lines in the log on how far a pull is. */
export const PULL_REPORT = 10_000
/** A line of a pull's news, and layers that are added up. */
export const MAX_PULL_LINE = 64 * 1024
export const MAX_LAYERS = 512
/** After a pull that failed, until the next; each further wait is twice as long. */
export const PULL_RETRY = 5000
export const PULL_RETRY_MAX = 600_000

/** Of the daemon's networks, how many a container joins. */
export const MAX_NETWORKS = 8
/** Seconds from SIGTERM to SIGKILL for what an earlier life of this daemon left. */
export const LEFTOVER_GRACE = 10
/** Leftovers that are removed in one go. */
export const MAX_LEFTOVERS = 256
/** Processes and threads in one container; models on many cores have hundreds. */
export const DEFAULT_PIDS = 2048
/** The log that the engine itself keeps of a container, for `docker logs`. */
export const ENGINE_LOG_SIZE = '10m'

/** On every container: which service it is, whose, and of which life of that daemon. */
export const LABELS = { service: 'hedgerow.service', peer: 'hedgerow.peer', run: 'hedgerow.run' } as const
