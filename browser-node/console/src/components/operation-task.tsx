import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { deskOf, type Job, tryExample } from '../state/desk.ts'
import { canSend } from '../state/mesh.ts'
import { entryOf } from '../state/session.ts'
import { AnswerCard } from './answer-card.tsx'
import { RequestForm } from './request-form.tsx'

/** One operation: the form, and beside or below it the answer. */
export function OperationTask({ job, children }: { job: Job; children?: ComponentChildren }) {
  const desk = deskOf(job.service, job.operation)
  const isMain = job.task?.operation === job.operation.id
  const examples = isMain ? (job.task?.examples ?? []) : []
  const entry = entryOf(desk.entry.value)
  const place = useRef<HTMLElement>(null)
  const state = entry?.state
  // Whoever sent it goes on reading at the answer; only when it has just come, not on the way back to this screen.
  const before = useRef(state)
  useEffect(() => {
    const ended = before.current === 'under-way' && (state === 'answered' || state === 'failed')
    // what is wrong with a field is said, and mended, at the field
    if (ended && entry?.trouble?.field == null)
      place.current
        ?.querySelector<HTMLElement>('h2')
        ?.focus({ preventScroll: matchMedia('(min-width: 60rem)').matches })
    before.current = state
  }, [state])
  const untouched = entry == null && desk.preparing.value == null
  return (
    <div class="task-columns">
      <div>
        <section class="card" aria-labelledby="ask">
          <h2 id="ask" class="visually-hidden">
            Your request
          </h2>
          {!isMain && <p class="muted">{job.operation.summary || job.operation.id}</p>}
          {examples.length > 0 && (
            <div class="examples">
              <span>Try an example:</span>
              {examples.map(example => (
                <button
                  type="button"
                  key={example.label}
                  class="chip"
                  disabled={!canSend.value || state === 'under-way'}
                  onClick={() => void tryExample(desk, job, example)}
                >
                  {example.label}
                </button>
              ))}
            </div>
          )}
          <RequestForm job={job} desk={desk} />
        </section>
        {children}
      </div>
      <section ref={place} class="card answer" aria-labelledby="answer">
        {untouched ? (
          <div class="answer-empty">
            <h2 id="answer" tabIndex={-1}>
              The answer appears here
            </h2>
            <p>
              {examples.length > 0
                ? 'Fill in the form, or try an example to see what you get.'
                : 'Send the form to see what you get.'}
            </p>
          </div>
        ) : (
          <AnswerCard desk={desk} job={job} entry={entry} />
        )}
      </section>
    </div>
  )
}
