import { useEffect, useState } from 'preact/hooks'
import { size } from '../logic/words.ts'
import type { Entry } from '../state/session.ts'

/** Small bodies are gone at once; a bar for them would only flicker. */
const WORTH_A_BAR = 100_000

/** How far a request is: sending, at work, receiving. */
export function ProgressNote({ entry }: { entry: Entry }) {
  const elapsed = useElapsed(entry.at)
  const { progress } = entry
  const { text, value, max } = stageOf(progress)
  return (
    <div class="progress-note">
      <progress aria-label={text} value={value} max={max} />
      <p>
        {text} <span class="muted">{elapsed > 1500 && `${Math.floor(elapsed / 1000)} s`}</span>
      </p>
    </div>
  )
}

function stageOf(progress: Entry['progress']): { text: string; value?: number; max?: number } {
  if (progress == null) return { text: 'Finding a computer…' }
  const { sent, toSend, received, toReceive } = progress
  if (received > 0) {
    const of = toReceive == null ? '' : ` of ${size(toReceive)}`
    return {
      text: `Receiving the answer: ${size(received)}${of}`,
      value: toReceive == null ? undefined : received,
      max: toReceive
    }
  }
  if (toSend != null && sent < toSend && toSend > WORTH_A_BAR)
    return { text: `Sending: ${size(sent)} of ${size(toSend)}`, value: sent, max: toSend }
  return { text: 'Being worked on…' }
}

function useElapsed(since: Date): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [])
  return now - since.getTime()
}
