import { TriangleAlert } from 'lucide-preact'
import { count, listed } from '../logic/words.ts'
import { nameOf, phase, services } from '../state/mesh.ts'
import { taskHref } from '../state/route.ts'
import { serviceWords } from './peer-list.tsx'

/** Every service with who offers it, and where somebody is missing. */
export function ServiceList() {
  if (phase.value.is === 'joining') return <p aria-busy="true">Looking what is offered…</p>
  if (services.value.length === 0) return <p class="muted">Nobody offers anything yet.</p>
  return (
    <ul class="peer-list">
      {services.value.map(({ name, title, workers, wanted }) => (
        <li key={name} class="peer-row">
          <div class="peer-main">
            <a href={taskHref(name)}>{serviceWords(name)}</a>
            <span class="muted">{title}</span>
          </div>
          <div class="peer-side">
            {workers.length > 0 && <span>{listed(workers.map(nameOf), 4)}</span>}
            <Gap have={workers.length} wanted={wanted} />
          </div>
        </li>
      ))}
    </ul>
  )
}

function Gap({ have, wanted }: { have: number; wanted: number }) {
  if (have > 0 && (have >= wanted || have > 1)) return <span class="muted">{count(have, 'computer')}</span>
  return (
    <span class="gap">
      <TriangleAlert size={16} aria-hidden="true" />
      {have === 0 ? 'nobody offers it' : 'only one: no spare'}
    </span>
  )
}
