/** Traces a second that are recorded of those that callers begin, and as many of those that begin here. */
export const TRACES_PER_SECOND = 50
/** Of the same, at once after a rest. */
export const TRACES_BURST = 2
/** Spans that wait for the collector; a span takes about 2 KiB. */
export const MAX_SPANS = 2048
/** Spans of one message to the collector. */
export const BATCH_SPANS = 512
/** Milliseconds between messages, unless a batch is full before. */
export const SEND_INTERVAL = 2000
/** Milliseconds that sending the last spans may hold up the end of a peer. */
export const STOP_TIMEOUT = 2000
/** Characters of a value. */
export const MAX_VALUE = 256
