/** Times in milliseconds, sizes in bytes. */

/** How long a relay may take to say what mesh it serves. */
export const BOOTSTRAP_TIMEOUT = 5000
/** Bytes of its answer. */
export const MAX_BOOTSTRAP = 256 * 1024
/** Characters of what a relay knows of others: the limit of peers, too. */
export const MAX_SNAPSHOT = 16 * 1024 * 1024

/** The part of a credential's life after which the next one is asked for. */
export const RENEWAL = 2 / 3

/** Relays that a page stays connected to: any two may go. */
export const MAX_RELAYS = 3
/** Relays that a page knows of besides those it was told of. */
export const MAX_LEARNT_RELAYS = 8
/** How long a connection to a relay may take to open. */
export const RELAY_DIAL_TIMEOUT = 8000
/** How often a relay is asked whether it is there while it is waited for over its bridge. */
export const RELAY_WATCH = 2000
/** A connection to a relay that was lost sooner is not opened again at once. */
export const RELAY_WORTH = 10_000
/** Pauses between attempts to reach a lost relay double from the one to the other, with jitter. */
export const FIRST_BACKOFF = 500
export const MAX_BACKOFF = 30_000

/** A joining page waits no longer for what a relay knows: what comes later, comes by events. */
export const SNAPSHOT_TIMEOUT = 3000
/** An event stream that says nothing for so long is dead: its sender says something every 20 s. */
export const EVENTS_SILENCE = 45_000
/** An event stream that ended sooner is not asked for again at once. */
export const EVENTS_WORTH = 5000
/** Characters of one event; a sealed statement is 64 KiB at most, in base64. */
export const MAX_EVENT = 128 * 1024

/** Peers that a page remembers. */
export const MAX_PEERS = 2000

/** Workers to which a connection is kept open before anything is asked of them. */
export const KEEP_CONNECTED = 8
/** How long a way to a worker may take to open. ICE alone takes some seconds to see that there is none. */
export const DIAL_TIMEOUT = 12_000
/** A direct way that needs no introduction has this head start before WebRTC by introduction is tried as well. */
export const INTRODUCTION_DELAY = 250
/** How long after the last attempt a direct way to a worker is tried again, when there is none. */
export const DIRECT_RETRY = 20_000
/** A direct way that was lost sooner is not looked for again at once. */
export const DIRECT_WORTH = 5000
/** Addresses of one kind tried for one worker; strangers write them. */
export const MAX_ADDRS = 3

/** At most so often are listeners told that something has changed. */
export const EVENT_INTERVAL = 100
/** How often the view forgets what has expired. */
export const SWEEP_INTERVAL = 5000

/** Bodies up to this are read whole before they are sent: they can be sent again, and leave in one piece. */
export const SMALL_BODY = 64 * 1024
