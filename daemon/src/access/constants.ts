/** Times in milliseconds, sizes in bytes, rates in requests a second. `docs/limits.md` lists them, and a test compares. */
import type { Rate } from './caller.ts'

/** A key may say otherwise of itself. */
export const KEY_RATE: Rate = { perSecond: 100, burst: 200 }
/** Signed in at an OIDC issuer: a person. */
export const OIDC_RATE: Rate = { perSecond: 20, burst: 100 }
/** A page or program that proves its peer's key over HTTP, where it can't be connected with the mesh itself. */
export const PEER_RATE: Rate = { perSecond: 20, burst: 100 }
/** Of one client over the mesh, at each peer that it asks: a page full of requests, not a flood. Relays and workers ask for many. */
export const CLIENT_RATE: Rate = { perSecond: 100, burst: 400 }
/** One address, whoever calls from there: an office behind one NAT holds dozens of people. */
export const ADDRESS_RATE: Rate = { perSecond: 200, burst: 400 }

/** Requests at once of one caller who isn't on this machine, and of all together. */
export const MAX_REQUESTS_PER_CALLER = 64
export const MAX_REQUESTS = 2048
/** Connections to TCP services at once, likewise: a quarter of what one worker takes of a service, since they may last for hours. */
export const MAX_FORWARDS_PER_CALLER = 16

/** Connections in all, of one address (loopback apart, where proxies are), and those that never asked for anything. */
export const MAX_CONNECTIONS = 4096
export const MAX_CONNECTIONS_PER_ADDRESS = 512
export const MAX_SILENT_CONNECTIONS = 1024

/** Addresses and callers that are remembered, for each of these bounds. */
export const MAX_REMEMBERED = 10_000

/** Of a request: all of its headers, and how many. */
export const MAX_HEADER_SIZE = 16 * 1024
export const MAX_HEADERS = 100

/** For the head of a request, and how often that is looked at. */
export const HEADERS_TIMEOUT = 15_000
export const CHECK_INTERVAL = 5_000
/** For the whole of a request: an upload of 100 MB over a line of 0.5 Mbit/s takes 27 minutes. */
export const REQUEST_TIMEOUT = 30 * 60_000
/** For the body of a request to the API itself, which reads it whole. */
export const API_BODY_TIMEOUT = 15_000
/** That an idle connection is kept. Longer than what clients and proxies in front usually keep theirs. */
export const KEEP_ALIVE_TIMEOUT = 75_000

/** Clocks of issuers and this machine may differ by so much. */
export const OIDC_LEEWAY = 60_000
/** For the issuer to answer; after a failure it isn't asked again for a while. */
export const ISSUER_TIMEOUT = 5_000
export const ISSUER_COOL_DOWN = 5_000
/** A key that isn't known makes the keys be fetched anew, at most this often. */
export const JWKS_COOL_DOWN = 30_000
export const JWKS_MAX_AGE = 10 * 60_000
/** Of what an issuer answers. */
export const MAX_ISSUER_ANSWER = 256 * 1024

/** How far the time in a DPoP proof may be off, in both directions, and so how long a proof is remembered. */
export const PROOF_WINDOW = 5 * 60_000
/** Proofs that are remembered, of one peer and in all; of more, those of today are refused rather than forgotten. */
export const MAX_PROOFS_PER_PEER = 10_000
export const MAX_PROOFS = 100_000

/** In `keys.json`. */
export const MAX_KEYS = 10_000
/** How often the file is looked at. */
export const KEYS_INTERVAL = 1_000
