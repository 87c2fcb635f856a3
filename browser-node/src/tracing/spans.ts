import { HEADERS } from '@hedgerow/protocols/ids'
import { ATTRIBUTES, type Attributes, attemptsOf, methodName, nameOf, type Tracing } from '@hedgerow/protocols/tracing'
import type { FetchSpan, PageTracing } from './index.ts'

export function pageTracing(tracing: Tracing): PageTracing {
  return {
    begin(request, requestId) {
      const method = methodName(request.method)
      const attributes = { [ATTRIBUTES.method]: method, [ATTRIBUTES.requestId]: requestId }
      const parent = request.headers.get(HEADERS.traceparent) ?? undefined
      const span = tracing.begin({ name: method, kind: 'internal', attributes, parent })
      if (span == null) return undefined
      const fetched: FetchSpan = {
        attempts: attemptsOf(span, start => span.rename(nameOf(start))),
        async bridge(headers, send) {
          const hop = span.child({ name: method, kind: 'client', attributes })
          headers.set(HEADERS.traceparent, hop.traceparent)
          let response: Response | undefined
          try {
            response = await send()
            return response
          } finally {
            const status = response?.status
            const error = status == null ? 'Unreachable' : status >= 400 ? String(status) : undefined
            hop.end(response == null ? {} : told(response), error)
          }
        },
        end(response) {
          const error = response.headers.get(HEADERS.error) ?? undefined
          span.end({ ...told(response), [ATTRIBUTES.outcome]: error ?? 'answered' }, error)
        },
        fail(err) {
          const code = err == null ? 'ClientGone' : codeOf(err)
          span.end({ [ATTRIBUTES.outcome]: code }, err == null ? undefined : code)
        }
      }
      return fetched
    }
  }
}

function told({ status, headers }: Response): Attributes {
  const attempts = headers.get(HEADERS.attempts)
  return {
    [ATTRIBUTES.status]: status,
    [ATTRIBUTES.peer]: headers.get(HEADERS.worker) ?? undefined,
    [ATTRIBUTES.attempts]: attempts == null ? undefined : Number(attempts),
    [ATTRIBUTES.path]: headers.get(HEADERS.path) ?? undefined,
    [ATTRIBUTES.transport]: headers.get(HEADERS.transport) ?? undefined
  }
}

/** Of the error of the mesh behind what `fetch` threw. It comes from another bundle, so its class says nothing here. */
function codeOf(err: unknown): string {
  const cause: unknown = err instanceof Error ? err.cause : undefined
  return typeof cause === 'object' && cause != null && 'code' in cause ? String(cause.code) : 'Internal'
}
