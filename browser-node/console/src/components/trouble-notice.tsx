import { CircleAlert, CircleStop, Hourglass, WifiOff } from 'lucide-preact'
import { useEffect, useState } from 'preact/hooks'
import type { Trouble } from '../logic/problem.ts'
import { count } from '../logic/words.ts'

/** What went wrong, what to do, and a way to do it. */
export function TroubleNotice({ trouble, onRetry }: { trouble: Trouble; onRetry?: () => void }) {
  const left = useCountdown(trouble)
  const Icon = ICONS[trouble.kind] ?? CircleAlert
  const canRetry = onRetry != null && trouble.kind !== 'input' && trouble.kind !== 'too-large'
  return (
    <div class={`trouble trouble-${trouble.kind}`}>
      <Icon size={24} aria-hidden="true" />
      <div>
        {trouble.title !== '' && <p class="trouble-title">{trouble.title}</p>}
        <p>{trouble.advice}</p>
        {canRetry && (
          <button type="button" class="secondary" disabled={left > 0} onClick={onRetry}>
            {left > 0 ? `Try again in ${count(left, 'second')}` : 'Try again'}
          </button>
        )}
        {trouble.detail !== '' && trouble.detail !== trouble.advice && (
          <details class="quiet">
            <summary>Details</summary>
            <p>
              {trouble.detail}
              {trouble.code != null && ` (${trouble.code})`}
              {trouble.status != null && ` · ${trouble.status}`}
            </p>
          </details>
        )}
      </div>
    </div>
  )
}

const ICONS: Partial<Record<Trouble['kind'], typeof CircleAlert>> = {
  busy: Hourglass,
  late: Hourglass,
  offline: WifiOff,
  cancelled: CircleStop
}

/** Whole seconds until another try makes sense. */
function useCountdown(trouble: Trouble): number {
  const [left, setLeft] = useState(trouble.retryAfter ?? 0)
  useEffect(() => {
    const end = performance.now() + (trouble.retryAfter ?? 0) * 1000
    const tick = (): void => setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1000)))
    tick()
    const timer = setInterval(tick, 250)
    return () => clearInterval(timer)
  }, [trouble])
  return left
}
