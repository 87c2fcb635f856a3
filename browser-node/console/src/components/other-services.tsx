import { services } from '../state/mesh.ts'
import { taskHref } from '../state/route.ts'
import { taskOf } from '../tasks/index.ts'
import { readiness } from './task-grid.tsx'
import { TaskIcon } from './task-icon.tsx'

/** Services that this page has no words of its own for: their owners' words. */
export function OtherServices() {
  const others = services.value.filter(({ name }) => taskOf(name) == null)
  if (others.length === 0) return null
  return (
    <section class="other-services" aria-labelledby="others">
      <h2 id="others">Also here</h2>
      <ul class="plain-list">
        {others.map(({ name, title }) => (
          <li key={name}>
            <a class="other-service" href={taskHref(name)}>
              <TaskIcon name="other" />
              <span>
                <strong>{name}</strong>
                <span class="task-blurb">{title}</span>
              </span>
              <span class="task-ready" data-ready={readiness(name).ready}>
                {readiness(name).text}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
