import { entries } from '../state/session.ts'
import { RequestRow } from './request-row.tsx'

const SHOWN = 3

/** The latest few on the main screen. */
export function RecentRequests() {
  const latest = entries.value.slice(0, SHOWN)
  if (latest.length === 0) return null
  const longest = Math.max(1, ...latest.map(({ total }) => total ?? 0))
  return (
    <section class="card" aria-labelledby="recent">
      <h2 id="recent">Your latest requests</h2>
      <ol class="request-list">
        {latest.map(entry => (
          <RequestRow key={entry.id} entry={entry} longest={longest} />
        ))}
      </ol>
      {entries.value.length > SHOWN && <a href="#/session">All requests</a>}
    </section>
  )
}
