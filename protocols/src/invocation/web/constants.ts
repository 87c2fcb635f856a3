import type { YamuxMuxerInit } from '@libp2p/yamux'

/** Times in milliseconds, sizes in bytes. */

/** Streams that a page has to one peer: people don't ask for more at once, and a loop gone wild is stopped. */
export const MAX_STREAMS_PER_PEER = 128

/** How long a stream may take to open, dialling included. */
export const OPEN_TIMEOUT = 15_000

/** How long a stream that nobody uses is kept: below what servers allow, so that they hardly ever close one in use. */
export const IDLE_TIMEOUT = 30_000

/** Of an answer; of its trailers too. */
export const MAX_HEADER_SIZE = 64 * 1024

/** What says the size of a chunk, with extensions that nobody reads. */
export const MAX_CHUNK_LINE = 4096

/** Bytes of an answer that wait for their reader before the peer is told to stop sending. */
export const MAX_UNREAD = 256 * 1024

/** A body leaves in pieces of this size, so that a slow line holds back who makes it. */
export const PIECE = 64 * 1024

/** As in Node (`node/constants.ts` says why): a window must fit the read buffer. */
export const YAMUX = {
  maxInboundStreams: 0,
  maxOutboundStreams: 1024,
  streamOptions: { maxStreamWindowSize: 1024 * 1024, maxReadBufferLength: 4 * 1024 * 1024 }
} as const satisfies YamuxMuxerInit
