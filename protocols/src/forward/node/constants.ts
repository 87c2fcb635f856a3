/** Milliseconds from the opening of a stream until its first message is there. */
export const REQUEST_TIMEOUT = 10_000

/** Milliseconds for the stream, and then again for the worker's answer, which may wait for its backend. */
export const OPEN_TIMEOUT = 10_000
