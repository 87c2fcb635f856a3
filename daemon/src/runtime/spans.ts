/** What is recorded of an exchange with a backend, if anything is. */
import type { MeshError } from '@hedgerow/protocols/errors'
import { ATTRIBUTES, type Span } from '@hedgerow/protocols/tracing'
import type { HttpTarget } from './index.ts'

export function addressExchange(span: Span, { origin }: HttpTarget): void {
  if (!span.recorded) return
  const { hostname, port, protocol } = new URL(origin)
  span.set({
    [ATTRIBUTES.scheme]: protocol.slice(0, -1),
    [ATTRIBUTES.serverAddress]: hostname,
    [ATTRIBUTES.serverPort]: Number(port) || (protocol === 'https:' ? 443 : 80)
  })
}

export function endExchange(span: Span, status: number | undefined, error: MeshError | undefined): void {
  const failed = status != null && status >= 400 ? String(status) : undefined
  span.end(
    { [ATTRIBUTES.status]: status, [ATTRIBUTES.outcome]: error?.code ?? 'answered' },
    // Who left is not the backend's fault.
    error == null || error.code === 'ClientGone' ? failed : error.code
  )
}
