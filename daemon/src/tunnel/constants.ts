/** Times of a tunnel, in milliseconds. */
export const TIMING = {
  /** Between two looks at a tunnel that isn't ready: a start takes it about 3 s. */
  poll: 250,
  /** Between two looks at one that is. */
  watch: 2000,
  /** For an answer of its metrics endpoint, which is on this machine. */
  answer: 2000,
  /** From a start until it is said that it takes long, and why, if what it writes tells. */
  slow: 15_000,
  /**
   * Without any answer of that endpoint until the program is taken for hung, and ended. It opens it only when Cloudflare
   * has given it a name, for which it waits up to 15 s.
   */
  silence: 30_000,
  /**
   * Without a connection until the program is started anew. It connects again by itself, but a quick tunnel that
   * Cloudflare has forgotten never does.
   */
  patience: 120_000,
  /** The first wait before a restart; each further one is twice as long. */
  backoff: 1000,
  maxBackoff: 60_000,
  /** The least wait when Cloudflare gives out no more quick tunnels: asking sooner makes it longer. */
  rateLimited: 120_000,
  /** A tunnel that was ready for so long starts with a short wait again. */
  stable: 60_000,
  /** From SIGTERM to SIGKILL. What it carries is through by then: it ends after the peer has drained. */
  grace: 3000
}
export type Timing = typeof TIMING

/** How much of a wait is left to chance, so that peers that a network failed together don't come back together. */
export const JITTER = 0.5

/** Looks in a row that find it not ready until nothing is announced any more: one of its four connections may move. */
export const UNREADY_AFTER = 2

/** Bytes of an answer of the metrics endpoint. */
export const MAX_ANSWER = 16 * 1024

// What the program writes.

/** Lines that are kept to say what went wrong, and characters of each. */
export const KEPT_LINES = 30
export const LINE_LENGTH = 400
/** Lines that go into the log in one second. */
export const MAX_LINES_PER_SECOND = 20
