// Health. Times in milliseconds.

/** Between two looks at a backend that is starting: soon at first, so that a quick one is ready at once. */
export const FIRST_PROBE = 50
export const MAX_START_PROBE = 1000
/** Until a backend that has just failed a probe is looked at again. */
export const RECHECK = 1000
/** Failed probes in a row until nothing more is sent there: one may be a pause of its garbage collector. */
export const UNHEALTHY_AFTER = 2
/** Failed probes in a row until a process is started anew. */
export const RESTART_AFTER = 3
/** Bytes of a health answer that are read; all that counts is its status. */
export const MAX_HEALTH_BODY = 64 * 1024
/** Between two probes out of turn, however many requests put a backend in doubt. */
export const SUSPECT_INTERVAL = 250

// Restarts.

/** The first wait before a restart; each further one is twice as long. */
export const BACKOFF_BASE = 250
export const BACKOFF_MAX = 60_000
/** How much of a wait is left to chance, so that services that fail together don't start together. */
export const BACKOFF_JITTER = 0.5
/** A backend that was healthy for so long starts with a short wait again. */
export const STABLE_AFTER = 60_000

// Ending a process.

/** From SIGTERM to SIGKILL when the daemon stops it: its requests are through by then. */
export const STOP_GRACE = 10_000
/** The same for one that hangs: it is unlikely to listen. */
export const HUNG_GRACE = 2000
/** From SIGKILL until a process that doesn't end even then is given up: it hangs in a driver. */
export const KILL_PATIENCE = 5000
/** How long the last lines of a process that has ended are waited for. */
export const LAST_WORDS = 200
/** Between two looks whether what a process left behind has ended. */
export const GROUP_POLL = 50
/** What the reaper gives a dead daemon's processes, in seconds. */
export const REAPER_GRACE = 3

// Containers.

/** Between two looks at a container whose engine is away. */
export const CONTAINER_LOOK = 1000
/** How long the last lines of a container that has ended are waited for: they come from a file. */
export const CONTAINER_LAST_WORDS = 1500
/** What an engine takes to stop a container, on top of its grace. */
export const STOP_MARGIN = 5000

// What a backend writes.

/** Characters of one line that are kept. */
export const MAX_LINE = 8192
/** Lines of stderr that are kept for `inspect`, and characters of each. */
export const KEPT_LINES = 20
export const KEPT_LINE_LENGTH = 1000
/** Lines logged in one second; further ones are counted only. */
export const MAX_LINES_PER_SECOND = 200
/** Bytes read in one second; a backend that writes more waits. */
export const MAX_LOG_BYTES_PER_SECOND = 4 * 1024 * 1024

// Exchanges.

/** Bytes of a head of an answer. Node's default is half of this, and cookies alone can take that. */
export const MAX_HEAD = 32 * 1024
/** Answers of status 1xx before the one that counts; HTTP has no bound on them. */
export const MAX_HINTS = 16
/** Bytes of an answer that wait for their reader before the backend is made to wait. */
export const HIGH_WATER = 64 * 1024
/** Until a connection to a backend must be there. */
export const CONNECT_TIMEOUT = 5000
/** How long a caller may pause within its request, or stop reading its answer, before it counts as gone. */
export const CALLER_PATIENCE = 120_000
/** Seconds until a service that is starting is likely ready. */
export const LOADING_RETRY_AFTER = 2

// Connections to backends that speak TCP.

/**
 * How long connections may go on after their service is to end here. Databases' clients keep theirs for good, so they must be
 * ended some time, and before the process is ended itself after its 30 s.
 */
export const CONNECTIONS_DRAIN = 25_000
/** From the end of what a process sends to the news that it has died, with room to spare: 10 ms on an idle machine. */
export const END_DOUBT = 100

// Resources.

/** Bytes of the list of resources. */
export const MAX_RESOURCES_BODY = 256 * 1024
export const MAX_RESOURCE_LENGTH = 200
/** Until the list must be there. */
export const RESOURCES_TIMEOUT = 5000

// Ports.

/** Below the range from which Linux takes ports for outgoing connections, so that none of these gets there first. */
export const FIRST_PORT = 20_000
export const LAST_PORT = 32_767
