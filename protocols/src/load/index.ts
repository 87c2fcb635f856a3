/**
 * A small, frequent statement of how busy one worker is with one service.
 *
 * About one a second while something changes; when idle, seldom enough that a topic carries about one a second in all.
 */
export { decodeLoadReport, encodeLoadReport } from './messages.ts'

export interface LoadReport {
  peerId: string
  /** grows with every report of a peer about a service */
  sequence: bigint
  service: string
  /** requests that run now */
  inFlight: number
  /** requests that wait */
  queued: number
  /** how many may run at once */
  concurrency: number
  /** milliseconds from admission to the first byte, exponentially weighted; 0 before the first request */
  latency: number
  /** share of requests that failed in the worker, exponentially weighted, 0 to 1 */
  errorRate: number
  /** milliseconds until the next report at the latest; a peer that is silent for several of these is suspect */
  interval: number
}

/** Bytes of a sealed report. */
export const MAX_REPORT_SIZE = 2048
/** Milliseconds between two reports while something changes. */
export const BUSY_INTERVAL = 1000
/** Milliseconds between two reports of an idle worker that is alone in its topic. */
export const IDLE_INTERVAL = 2000
/** An idle worker never stays silent longer than this, however many share its topic. */
export const MAX_INTERVAL = 30_000
