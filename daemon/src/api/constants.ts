/** Sizes in bytes. `docs/limits.md` lists them, and a test compares. */

/** Of a request to the API itself; bodies of /service are not read here and have the limits of their operations. */
export const API_BODY_LIMIT = 1024 * 1024
/** Of a request to /v1, prompts with images in them: the one body of a service that an ingress reads itself. */
export const OPENAI_BODY_LIMIT = 32 * 1024 * 1024
/** Of all that are held at once: a body without a length counts for as much as it may have. */
export const OPENAI_BODIES = 256 * 1024 * 1024
/** Who listens to /events. */
export const MAX_LISTENERS = 256
/** Questions to other peers under way: whoever may ask this peer can make it dial others. */
export const MAX_ASKS = 64
/** Walks in the DHT under way: each asks dozens of peers. */
export const MAX_WALKS = 16

/** Requests of one address each second, and at once. An enrolment is two, and an office has one address. */
export const ENROL_RATE = { perSecond: 2, burst: 120 }
/** Each one is a signature to check; whoever has many waits a little. */
export const REVOCATION_RATE = { perSecond: 5, burst: 50 }
/** A peer asks once in two thirds of its credential's life; when it fails, a few times. */
export const RENEWAL_RATE = { perSecond: 0.1, burst: 10 }
