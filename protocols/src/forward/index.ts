/**
 * Raw TCP between peers: what a stream begins with. The peer that opens it says in one message which service it wants; the
 * worker says in one that the connection to its backend is open, or why not; from there on the stream carries the
 * connection's bytes, both ways. Both messages are preceded by their length.
 *
 * @example
 * ```ts
 * stream.write(encodeRequest({ service: 'postgresql', requestId }))
 * const cut = cutMessage(received) // undefined until all of it is here
 * if (cut != null) decodeAnswer(cut.message) // throws the MeshError that the worker refuses with
 * ```
 */
export { cutMessage, decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from './messages.ts'

/** What a peer asks for when it opens a stream. */
export interface ForwardRequest {
  /** its name, no alias */
  service: string
  requestId: string
  /** of what will pass. @default what the service asks for, else none */
  dataClass?: string
  traceparent?: string
  /** for whom, as in `key/<id>`: believed of those who may say so. @default the peer itself */
  caller?: string
}

/** Bytes of a message: ten times what a real one takes. */
export const MAX_MESSAGE = 4096
