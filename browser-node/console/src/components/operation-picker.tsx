import type { Operation } from '../logic/openapi.ts'
import { taskHref } from '../state/route.ts'

/** What else the service can do: each has a form of its own. */
export function OperationPicker({
  service,
  operations,
  shown
}: {
  service: string
  operations: Operation[]
  shown: Operation
}) {
  if (operations.length < 2) return null
  return (
    <details class="quiet operations">
      <summary>What else this service can do</summary>
      <ul class="plain-list">
        {operations.map(({ id, summary }) => (
          <li key={id}>
            <a
              href={`${taskHref(service)}/${encodeURIComponent(id.replace(' ', ':'))}`}
              aria-current={id === shown.id ? 'true' : undefined}
            >
              {summary || WORDS[id] || id}
            </a>{' '}
            <code class="muted">{id}</code>
          </li>
        ))}
      </ul>
    </details>
  )
}

const WORDS: Record<string, string> = {
  'GET /health': 'Ask how it is',
  'GET /stats': 'Ask what it has done so far',
  'POST /convert': 'Draft a letter'
}
