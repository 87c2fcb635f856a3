/** Seconds by which clocks may differ: a credential is good for this much longer, and this much sooner, than it says. */
export const LEEWAY = 15 * 60

/** Characters of one signed token. An issuer's credential that names 64 services takes about 3,000. */
export const MAX_TOKEN = 8 * 1024
/** Tokens in a chain: a peer's own credential and its issuer's. */
export const MAX_CHAIN = 2
/** Characters of a chain. */
export const MAX_CHAIN_LENGTH = MAX_CHAIN * (MAX_TOKEN + 1)

export const MAX_SERVICES = 64
export const MAX_CLASSES = 16
export const MAX_RELAYS = 8
/** The longest that a credential from an invite may last, in seconds: 400 days. */
export const MAX_TTL = 400 * 86_400
/** Times that one invite can be used. */
export const MAX_USES = 10_000

/** Chains whose signatures were checked and needn't be again: all that a view of thousands of peers holds. */
export const REMEMBERED_CHAINS = 8192

/** Revocations that a peer keeps. They come from the authority and its issuers only; each ends with what it revokes. */
export const MAX_REVOCATIONS = 10_000
/** Of one issuer. */
export const MAX_REVOCATIONS_BY_ISSUER = 1000
