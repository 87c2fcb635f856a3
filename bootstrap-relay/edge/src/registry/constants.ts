/** Milliseconds of silence that end a relay. */
export const SILENCE = 120_000
/** Seconds between two heartbeats of a relay. */
export const HEARTBEAT_INTERVAL = 30
/** Relays that one edge keeps; each is as good as any, so more are of no use. */
export const MAX_RELAYS = 16
