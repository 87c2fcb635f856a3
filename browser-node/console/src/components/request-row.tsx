import { duration, pathWords } from '../logic/words.ts'
import { nameOf } from '../state/mesh.ts'
import { taskHref } from '../state/route.ts'
import type { Entry } from '../state/session.ts'
import { Timeline } from './timeline.tsx'

export function RequestRow({ entry, longest }: { entry: Entry; longest: number }) {
  const { service, title, at, state, total } = entry
  return (
    <li class="request-row">
      <div class="request-what">
        <a href={taskHref(service)}>{title}</a>
        <time class="muted" dateTime={at.toISOString()}>
          {at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })}
        </time>
      </div>
      <div class="request-who">
        <span class={`state state-${state}`}>{STATES[state]}</span>
        <span class="muted">{detailsOf(entry).map(words => ` · ${words}`)}</span>
      </div>
      <div class="request-time">
        <Timeline entry={entry} longest={longest} />
        <span class="request-total">{total == null ? 'under way' : duration(total)}</span>
      </div>
    </li>
  )
}

function detailsOf({ receipt, trouble, state }: Entry): string[] {
  const from = receipt?.worker == null ? [] : [`${nameOf(receipt.worker)}, ${pathWords(receipt.path)}`]
  return state === 'failed' && trouble != null ? [trouble.title, ...from] : from
}

const STATES: Record<Entry['state'], string> = {
  'under-way': 'Under way',
  answered: 'Answered',
  failed: 'Failed',
  stopped: 'Stopped'
}
