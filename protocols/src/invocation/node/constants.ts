/** Times in milliseconds, sizes in bytes. */
import type { YamuxMuxerInit } from '@libp2p/yamux'

/**
 * Streams that a client opens to one peer; more requests at once wait for one of them. More than the services of a worker
 * run and queue together: who waits should wait in the worker's own queue, where it is seen and refused in time.
 */
export const MAX_STREAMS_PER_PEER = 256

/** Requests that wait for a stream to one peer; one more fails at once. */
export const MAX_WAITING_PER_PEER = 1024

/** Peers to which streams are kept; of more, those not used for longest are closed. */
export const MAX_PEERS = 256

/** How long a stream may take to open, dialling and protocol negotiation included. */
export const OPEN_TIMEOUT = 10_000

/**
 * How long a client keeps a stream that nobody uses. Below what servers allow ({@link SERVER}), so that a server hardly
 * ever closes a stream on which a request is already on its way.
 */
export const IDLE_TIMEOUT = 30_000

/** Bytes of an answer that wait for their reader before the peer is told to stop sending. */
export const MAX_UNREAD = 64 * 1024

/**
 * Bytes that a stream's socket buffers in either direction. Node's http reads it as the socket's high-water mark.
 */
export const HIGH_WATER_MARK = 64 * 1024

/** How long a stream that was closed on our side may wait for the other side to close too, before it is reset. */
export const LINGER = 5_000

/**
 * How long the rest of a request is read that was answered already: with pauses of so much, and in all. 30 MB over a
 * line of 2 Mbit/s take two minutes.
 */
export const LINGER_PAUSE = 5_000
export const LINGER_LONGEST = 120_000

/**
 * Streams that one peer may have open to our server, over all of its connections, and that libp2p lets a connection
 * have in either direction (its own limits are 32 and 64). A client of ours opens 256. Each can make this process hold
 * a window of data that nobody reads (see {@link YAMUX}).
 */
export const MAX_PROTOCOL_STREAMS = 512

/** Streams that carry others, for one connection. A client of ours opens one, and another when that was closed. */
export const MAX_CARRIERS = 4

/** What Node's http server is created with. */
export const SERVER = {
  /** as much as an ingress accepts from its own clients, and more than our own headers add to that */
  maxHeaderSize: 32 * 1024,
  /** from the first byte of a request, or from the opening of the stream, to the end of its headers */
  headersTimeout: 15_000,
  /** for the whole request: an upload of 100 MB over a line of 0.5 Mbit/s takes 27 minutes */
  requestTimeout: 30 * 60_000,
  keepAliveTimeout: 75_000,
  /** how often the first two are checked */
  connectionsCheckingInterval: 5_000
} as const

/**
 * Batches of frames are sent when they reach this size, or else when the event loop has handled what was there to
 * read. Larger: fewer system calls and encryptions for a request. Smaller: the other side can start earlier. With 32
 * requests of 1 KiB at once, 8 KiB is 1.5 times as fast as no limit and more than twice as fast as no batches.
 */
export const BATCH_SIZE = 8 * 1024

/** What fits into one message of Noise. Larger batches are cut here, in the middle of a frame. */
export const NOISE_MESSAGE = 65_535 - 16

/**
 * Window updates are held back until they add up to this. The sender always has three quarters of its first window
 * (256 KiB, fixed by the yamux specification) left, so it never waits for one that is held.
 */
export const WINDOW_UPDATE_SIZE = 64 * 1024

/** Streams of one connection whose window updates are held back at the same time; of more, the one held longest is sent. */
export const MAX_HELD_UPDATES = 1024

/**
 * Below this size the WebAssembly ChaCha20-Poly1305 is faster, above it OpenSSL's (µs to encrypt: 300 bytes 6 and 9,
 * 1.3 KiB 15 and 10, 16 KiB 200 and 19).
 */
export const NATIVE_CIPHER_FROM = 400

export const YAMUX = {
  /** more than {@link MAX_PROTOCOL_STREAMS}, because other protocols need some too */
  maxInboundStreams: 1024,
  maxOutboundStreams: 1024,
  streamOptions: {
    /**
     * What one stream may have under way, and therefore what a stalled reader makes this process hold for it. A stream
     * whose reader is slow is reset when more arrives than `maxReadBufferLength`, so the window must not exceed that:
     * yamux's own 16 MiB against 4 MiB breaks large bodies. 1 MiB carries 20 MB/s at a round trip of 50 ms.
     */
    maxStreamWindowSize: 1024 * 1024,
    maxReadBufferLength: 4 * 1024 * 1024
  }
} as const satisfies YamuxMuxerInit
