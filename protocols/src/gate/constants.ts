/** Milliseconds from a connection to the proof of membership; without one it is closed. */
export const PROOF_TIMEOUT = 10_000
/** Milliseconds for a refusal to reach the other side before the connection is closed under it. */
export const REFUSAL_LINGER = 500
/** Connections that others opened and have yet to prove; the one that has taken longest makes room. Members take tens of milliseconds. */
export const MAX_UNPROVEN = 256
/** Streams of one connection that may wait for the proof; one more is reset. */
export const MAX_WAITING_STREAMS = 32
/** Bytes that all streams may hold which wait for a proof. Each holds 256 KiB at most: so much yamux lets it send unasked. */
export const MAX_HELD = 32 * 1024 * 1024
/** Milliseconds between two looks at what they hold, while there are any. */
export const HELD_INTERVAL = 100
/** Bytes of one message of the handshake: a chain, and a sentence. */
export const MAX_PROOF = 24 * 1024
/** Milliseconds between two looks for members whose credential has ended. */
export const SWEEP_INTERVAL = 5000
