import { reasonsOf } from '../logic/explain.ts'
import { segmentsOf } from '../logic/server-timing.ts'
import { duration, pathWords } from '../logic/words.ts'
import { nameOf } from '../state/mesh.ts'
import { peerHref } from '../state/route.ts'
import type { Entry } from '../state/session.ts'
import { Timeline } from './timeline.tsx'

/** Below each answer: who gave it, how it came, how long it took, and why it went there. */
export function ReceiptNote({ entry }: { entry: Entry }) {
  const { receipt, total, firstByte } = entry
  if (receipt == null) return null
  const { worker, path, attempts, explanation, timing, transport, requestId } = receipt
  const segments = total == null || firstByte == null ? [] : segmentsOf(timing, firstByte, total)
  return (
    <section class="receipt" aria-label="Where this answer came from">
      <p class="receipt-line">
        {worker != null ? (
          <>
            From <a href={peerHref(worker)}>{nameOf(worker)}</a>, {pathWords(path)}
          </>
        ) : (
          'No computer took it'
        )}
        {total != null && <>, in {duration(total)}</>}
        {attempts > 1 && <>, at attempt {attempts}</>}.
      </p>
      <Timeline entry={entry} />
      {segments.length > 1 && (
        <p class="muted timeline-words">{segments.map(({ label, ms }) => `${duration(ms)} ${label}`).join(' · ')}</p>
      )}
      {explanation != null && (
        <details class="why" open>
          <summary>Why this computer?</summary>
          <ul>
            {reasonsOf(explanation, nameOf).map(sentence => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </details>
      )}
      <details class="quiet">
        <summary>Details</summary>
        <dl class="facts">
          <Fact name="attempts" value={String(attempts)} />
          <Fact name="transport" value={transport ?? 'unknown'} />
          <Fact name="status" value={String(receipt.status)} />
          {worker != null && <Fact name="peer ID" value={worker} />}
          {requestId != null && <Fact name="request ID" value={requestId} />}
        </dl>
      </details>
    </section>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}
