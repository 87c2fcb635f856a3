import type { Turn } from '../state/chat.ts'
import { entryOf } from '../state/session.ts'
import { Prose } from './prose.tsx'
import { ReceiptNote } from './receipt-note.tsx'
import { TroubleNotice } from './trouble-notice.tsx'

export function ChatTurn({ turn, last, onRetry }: { turn: Turn; last: boolean; onRetry(): void }) {
  const entry = turn.role === 'assistant' ? entryOf(turn.entry) : undefined
  const writing = entry?.state === 'under-way'
  return (
    <li class={`turn turn-${turn.role}`}>
      <span class="visually-hidden">{turn.role === 'user' ? 'You:' : 'The model:'}</span>
      {(turn.text !== '' || writing) && (
        <div class="turn-text" data-writing={writing}>
          {turn.role === 'assistant' ? <Prose text={turn.text} /> : turn.text}
          {writing && turn.text === '' && <span class="muted">Thinking…</span>}
        </div>
      )}
      {entry?.trouble != null && <TroubleNotice trouble={entry.trouble} onRetry={last ? onRetry : undefined} />}
      {entry != null && last && !writing && <ReceiptNote entry={entry} />}
    </li>
  )
}
