import { ATTRIBUTES, methodName } from './attributes.ts'
import type { AttemptEnd, AttemptStart, DispatchSpan, Span } from './index.ts'

/**
 * What dispatch tells of a request goes into a span of each attempt.
 *
 * @param span of the request
 * @param known hears which operation of the contract it is, as soon as that is known
 */
export function attemptsOf(span: Span, known: (start: AttemptStart) => void = () => {}): DispatchSpan {
  return {
    traceparent: span.traceparent,
    lookedUp(milliseconds) {
      span.set({ [ATTRIBUTES.lookup]: milliseconds })
    },
    attempt(start, record, count) {
      known(start)
      const attempt = span.child({ name: nameOf(start), kind: 'client', attributes: beginning(start, record, count) })
      return { traceparent: attempt.traceparent, end: end => endAttempt(attempt, end) }
    }
  }
}

/** As in `GET /documents/{id}`: few, whatever is called. */
export function nameOf({ request, operation }: Pick<AttemptStart, 'request' | 'operation'>): string {
  return `${methodName(request.method)} ${operation.path}`
}

function beginning(
  { request, service, requestId }: AttemptStart,
  { peerId, reason }: { peerId: string; reason: string },
  count: number
) {
  return {
    [ATTRIBUTES.method]: methodName(request.method),
    [ATTRIBUTES.serverAddress]: peerId,
    [ATTRIBUTES.resendCount]: count === 1 ? undefined : count - 1,
    [ATTRIBUTES.requestId]: requestId,
    [ATTRIBUTES.service]: service.name,
    [ATTRIBUTES.peer]: peerId,
    [ATTRIBUTES.reason]: reason
  }
}

function endAttempt(span: Span, { record, startedAt, headAt }: AttemptEnd): void {
  const { outcome, detail, status, route } = record
  // Given up for a reason that isn't the worker's: the detail is a word of ours. That of a failure may be the worker's.
  const isAbandoned = outcome === 'abandoned'
  const failed = isAbandoned || outcome === 'answered' ? undefined : outcome
  span.end(
    {
      [ATTRIBUTES.status]: status,
      [ATTRIBUTES.outcome]: isAbandoned ? detail : outcome,
      [ATTRIBUTES.path]: route?.path,
      [ATTRIBUTES.transport]: route?.transport,
      [ATTRIBUTES.firstByte]: headAt == null ? undefined : headAt - startedAt
    },
    failed ?? (status != null && status >= 400 ? String(status) : undefined)
  )
}
