import { CloudOff } from 'lucide-preact'
import { join } from '../state/mesh.ts'

/** Joining failed: nothing of the page can work until it succeeds. */
export function LostScreen({ why }: { why: string }) {
  return (
    <section class="empty">
      <CloudOff size={40} strokeWidth={1.5} aria-hidden="true" />
      <h1 tabIndex={-1}>This page couldn’t join</h1>
      <p>
        The relay at <strong>{location.host}</strong> doesn’t answer. It may be restarting, or you may be offline.
      </p>
      <button type="button" onClick={() => void join()}>
        Try again
      </button>
      <details class="quiet">
        <summary>Details</summary>
        <p>{why}</p>
      </details>
    </section>
  )
}
