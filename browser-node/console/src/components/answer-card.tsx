import { AnswerBody } from '../answers/answer-body.tsx'
import { type Desk, type Job, run } from '../state/desk.ts'
import type { Entry } from '../state/session.ts'
import { ProgressNote } from './progress-note.tsx'
import { ReceiptNote } from './receipt-note.tsx'
import { TroubleNotice } from './trouble-notice.tsx'

export function AnswerCard({ desk, job, entry }: { desk: Desk; job: Job; entry: Entry | undefined }) {
  const preparing = desk.preparing.value
  if (preparing != null || entry == null)
    return (
      <>
        <Heading>One moment</Heading>
        <p aria-busy="true">{preparing ?? 'Getting ready…'}</p>
      </>
    )
  if (entry.state === 'under-way')
    return (
      <>
        <Heading>Under way</Heading>
        <ProgressNote entry={entry} />
      </>
    )
  const answer = desk.answer.value
  return (
    <>
      <Heading>{HEADINGS[entry.state]}</Heading>
      {entry.trouble != null && (
        <TroubleNotice key={entry.id} trouble={entry.trouble} onRetry={() => void run(desk, job)} />
      )}
      {entry.state === 'answered' && answer != null && <AnswerBody answer={answer} job={job} />}
      <ReceiptNote entry={entry} />
    </>
  )
}

const HEADINGS = { answered: 'Answer', failed: 'No answer', stopped: 'Stopped' } as const

function Heading({ children }: { children: string }) {
  return (
    <h2 id="answer" tabIndex={-1}>
      {children}
    </h2>
  )
}
