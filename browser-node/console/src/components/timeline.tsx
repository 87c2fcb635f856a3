import { segmentsOf } from '../logic/server-timing.ts'
import { duration } from '../logic/words.ts'
import type { Entry } from '../state/session.ts'

/** Where the time of a request went; the words say the same. Within one request it is to scale. */
export function Timeline({ entry, longest }: { entry: Entry; longest?: number }) {
  const { receipt, firstByte, total } = entry
  if (total == null || firstByte == null) return <span class="timeline-none" aria-hidden="true" />
  const segments = segmentsOf(receipt?.timing, firstByte, total)
  // Beside a scan that takes 10 s, an answer in 50 ms would be too small to see, so lengths are square roots.
  const scale = (1000 * Math.sqrt(total / Math.max(longest ?? total, total, 1))) / Math.max(total, 1)
  let at = 0
  const words = segments.map(({ label, ms }) => `${duration(ms)} ${label}`).join(', ')
  return (
    <svg class="timeline" viewBox="0 0 1000 12" preserveAspectRatio="none" role="img" aria-label={words}>
      <title>{words}</title>
      <rect class="timeline-ground" width="1000" height="12" rx="6" />
      {segments.map(({ kind, ms }) => {
        const x = at
        at += ms * scale
        return <rect key={kind} class={`seg seg-${kind}`} x={x} width={Math.max(3, ms * scale)} height="12" />
      })}
    </svg>
  )
}

export function TimelineLegend() {
  return (
    <p class="legend" aria-hidden="true">
      <span>
        <i class="key seg-queue" /> waiting
      </span>
      <span>
        <i class="key seg-network" /> on the way
      </span>
      <span>
        <i class="key seg-backend" /> being worked on
      </span>
      <span>
        <i class="key seg-transfer" /> receiving
      </span>
    </p>
  )
}
