import { Inbox } from 'lucide-preact'
import { RequestRow } from '../components/request-row.tsx'
import { TimelineLegend } from '../components/timeline.tsx'
import { entries } from '../state/session.ts'

export function SessionScreen() {
  const all = entries.value
  const longest = Math.max(1, ...all.map(({ total }) => total ?? 0))
  return (
    <>
      <section class="hero">
        <h1 tabIndex={-1}>Requests</h1>
        <p class="lead">What this page sent since you opened it. Close it, and the list is gone.</p>
      </section>
      {all.length === 0 ? (
        <section class="empty">
          <Inbox size={40} strokeWidth={1.5} aria-hidden="true" />
          <h2>Nothing sent yet</h2>
          <p>Pick a task and try an example: two clicks, and the first request is here.</p>
          <a class="button-link" href="#/">
            Pick a task
          </a>
        </section>
      ) : (
        <section class="card" aria-label="Requests of this session">
          <TimelineLegend />
          <ol class="request-list">
            {all.map(entry => (
              <RequestRow key={entry.id} entry={entry} longest={longest} />
            ))}
          </ol>
        </section>
      )}
    </>
  )
}
