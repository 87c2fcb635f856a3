/**
 * Every name that peers must agree on, in one place: protocol ids, gossip topics, DHT keys, HTTP headers.
 *
 * A mesh has a name, and every protocol of ours carries it, so that two meshes on one network never mix: their DHTs
 * and topics have other names.
 */
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'

/** HTTP/1.1 over a libp2p stream (libp2p HTTP specification): any libp2p HTTP client can call a worker. */
export const HTTP_PROTOCOL = '/http/1.1'

/**
 * Yamux over one libp2p stream, where each stream in it speaks {@link HTTP_PROTOCOL}: for connections whose own streams
 * have no flow control (WebRTC).
 */
export const STREAMS_PROTOCOL = '/hedgerow/streams/1'

/** Which mesh a peer joins when nothing names one. */
export const DEFAULT_MESH = 'hedgerow'

/** What a mesh or a service may be called: a DNS label, so that names fit URLs, topics and host names alike. */
export const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'

/** A peer id as people and headers write it: base58, of an Ed25519, secp256k1 or other key. */
export const PEER_ID_PATTERN = '^(12D3KooW|16Uiu2|Qm)[1-9A-HJ-NP-Za-km-z]{40,60}$'

/** The private Kademlia DHT of a mesh; never the public one. */
export const dhtProtocol = (mesh: string): string => `/hedgerow/${mesh}/kad/1.0.0`

/** The handshake by which peers of a closed mesh prove that they are members. */
export const membershipProtocol = (mesh: string): string => `/hedgerow/${mesh}/membership/1`

/** A connection to a service that speaks TCP: a request, an answer, then its bytes. */
export const forwardProtocol = (mesh: string): string => `/hedgerow/${mesh}/forward/1`

/** Yamux over one libp2p stream, as {@link STREAMS_PROTOCOL}, where each stream speaks {@link forwardProtocol}. */
export const forwardStreamsProtocol = (mesh: string): string => `/hedgerow/${mesh}/forward-streams/1`

/** What an HTTP request upgrades to that opens a connection to a service that speaks TCP. */
export const FORWARD_UPGRADE = 'hedgerow-forward'

/** Adverts and goodbyes of every peer. */
export const advertTopic = (mesh: string): string => `/hedgerow/${mesh}/adverts/1`

/** What the authority and its issuers take back. */
export const revocationTopic = (mesh: string): string => `/hedgerow/${mesh}/revocations/1`

/** Load reports about one service. */
export const loadTopic = (mesh: string, service: string): string => `/hedgerow/${mesh}/load/1/${service}`

/** The namespace of our DHT values; kad-dht finds validator and selector by it. */
export const DHT_NAMESPACE = 'hedgerow'

/** Under which DHT key a peer's advert lies. @param peerId the bytes of the peer id's multihash */
export function advertKey(peerId: Uint8Array): Uint8Array {
  return concat([fromString(`/${DHT_NAMESPACE}/`), peerId])
}

/** What peers provide in the DHT besides services. */
export type Provided = `service:${string}` | 'relay' | 'entry-point'

/** The CID under which peers that provide `what` are found. */
export async function providerCid(what: Provided): Promise<CID> {
  return CID.createV1(raw.code, await sha256.digest(fromString(what)))
}

/** Header names, in lower case as Node gives them. */
export const HEADERS = {
  /** 128 random bits in hex, made by the first ingress and kept to the backend */
  requestId: 'hedgerow-request-id',
  /** answer: who answered. Request: this worker only */
  worker: 'hedgerow-worker',
  attempts: 'hedgerow-attempts',
  path: 'hedgerow-path',
  transport: 'hedgerow-transport',
  /** seconds that the caller will still wait, as a decimal number */
  timeout: 'hedgerow-timeout',
  /** `public`, `internal`, `confidential` or a class of the mesh's own */
  dataClass: 'hedgerow-data-class',
  /** what a worker must hold to answer, as in `model/llama3` or `collection/default` */
  resource: 'hedgerow-resource',
  /** opaque proof that a call is nested in another; made by a daemon for its own backends */
  context: 'hedgerow-context',
  /** how many calls this one is nested in */
  depth: 'hedgerow-depth',
  /** an answer of the mesh itself, not of the service: the error's code */
  error: 'hedgerow-error',
  /** between peers: set by the ingress, so that a worker serves or refuses and never dispatches again */
  dispatched: 'hedgerow-dispatched',
  /** between peers: `service/{name}` when a service calls on its own account */
  caller: 'hedgerow-caller',
  /** to backends, and between peers for nested calls: which classes of data whoever asks may see, in a list */
  callerClasses: 'hedgerow-caller-classes',
  idempotencyKey: 'idempotency-key',
  traceparent: 'traceparent',
  serverTiming: 'server-timing'
} as const

/** How many calls may be nested in one another before the mesh refuses (document-processing to vision-ocr is 1). */
export const MAX_DEPTH = 4
