import { isMeshErrorCode, MeshError } from '../errors/index.ts'
import { ForwardAnswer as WireAnswer, ForwardRequest as WireRequest } from '../proto/gen/hedgerow.pb.ts'
import { checkName, checkNumber, checkText, InvalidMessage } from '../statement/checks.ts'
import { type ForwardRequest, MAX_MESSAGE } from './index.ts'

const REQUEST_ID = /^[\w.:-]{1,128}$/
/** A W3C traceparent has 55 characters. */
const MAX_TRACEPARENT = 128
const MAX_CALLER = 300
const MAX_DETAIL = 1000
/** a day, in seconds */
const MAX_RETRY_AFTER = 86_400

export function encodeRequest(request: ForwardRequest): Uint8Array {
  const { service, requestId, dataClass = '', traceparent = '', caller = '' } = request
  return withLength(WireRequest.encode({ service, requestId, dataClass, traceparent, caller }).finish())
}

/** @throws {InvalidMessage} */
export function decodeRequest(bytes: Uint8Array): ForwardRequest {
  const wire = decode(() => WireRequest.decode(bytes))
  if (!REQUEST_ID.test(wire.requestId)) throw new InvalidMessage('requestId is not a request id')
  const request: ForwardRequest = { service: checkName('service', wire.service), requestId: wire.requestId }
  if (wire.dataClass !== '') request.dataClass = checkName('dataClass', wire.dataClass)
  if (wire.traceparent !== '') request.traceparent = checkText('traceparent', wire.traceparent, MAX_TRACEPARENT)
  if (wire.caller !== '') request.caller = checkText('caller', wire.caller, MAX_CALLER)
  return request
}

/** @param refusal left out when the connection is open */
export function encodeAnswer(refusal?: MeshError): Uint8Array {
  const detail = refusal?.message.slice(0, MAX_DETAIL).toWellFormed() ?? ''
  const retryAfter = Math.min(MAX_RETRY_AFTER, Math.ceil(refusal?.details.retry_after ?? 0))
  return withLength(WireAnswer.encode({ error: refusal?.code ?? '', detail, retryAfter }).finish())
}

/** @returns the error that the worker refuses with, or nothing when the connection is open @throws {InvalidMessage} */
export function decodeAnswer(bytes: Uint8Array): MeshError | undefined {
  const wire = decode(() => WireAnswer.decode(bytes))
  if (wire.error === '') return undefined
  const retryAfter = checkNumber('retryAfter', wire.retryAfter, 0, MAX_RETRY_AFTER)
  const detail = checkText('detail', wire.detail, MAX_DETAIL)
  // A later version may refuse for a reason that this one has no word for; another worker may not.
  const code = isMeshErrorCode(wire.error) ? wire.error : 'NotServed'
  return new MeshError(code, detail, retryAfter === 0 ? {} : { retry_after: retryAfter })
}

/**
 * The first message of what has come so far, and what follows it.
 *
 * @returns undefined while some of it is missing
 * @throws {InvalidMessage} when it is larger than any may be
 */
export function cutMessage(received: Uint8Array): { message: Uint8Array; rest: Uint8Array } | undefined {
  const [first, second] = received
  if (first == null) return undefined
  // A varint of two bytes reaches to 16 KiB, beyond what a message may have.
  const short = first < 0x80
  if (!short && second == null) return undefined
  if (!short && (second ?? 0) >= 0x80) throw tooLarge()
  const length = short ? first : (first & 0x7f) | ((second ?? 0) << 7)
  if (length > MAX_MESSAGE) throw tooLarge()
  const begin = short ? 1 : 2
  const end = begin + length
  if (received.byteLength < end) return undefined
  return { message: received.subarray(begin, end), rest: received.subarray(end) }
}

function withLength(message: Uint8Array): Uint8Array {
  const { byteLength: length } = message
  if (length > MAX_MESSAGE) throw tooLarge()
  const prefix = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  const framed = new Uint8Array(prefix.length + length)
  framed.set(prefix)
  framed.set(message, prefix.length)
  return framed
}

function tooLarge(): InvalidMessage {
  return new InvalidMessage(`the message is larger than ${MAX_MESSAGE} bytes`)
}

function decode<T>(read: () => T): T {
  try {
    return read()
  } catch (err) {
    throw new InvalidMessage('the message is no protobuf of its kind', { cause: err })
  }
}
