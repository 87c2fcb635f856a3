/** Weight of a new sample in a latency average: the last ten requests make up nine tenths of it. */
export const LATENCY_WEIGHT = 0.2
/** Weight of a new sample in the error rate: five failures in a row take it from 0 to two thirds. */
export const ERROR_WEIGHT = 0.2
/**
 * Milliseconds in which the error rate fades to a half while nothing runs. Without fading, a worker that failed once
 * and is avoided for it could never show that it recovered.
 */
export const ERROR_HALF_LIFE = 30_000
/** Milliseconds that a request is assumed to take before any has finished. */
export const ASSUMED_DURATION = 1000
/** Seconds within which `Retry-After` stays: below 1 it would be 0, and nobody plans further ahead than this. */
export const MIN_RETRY_AFTER = 1
export const MAX_RETRY_AFTER = 60
