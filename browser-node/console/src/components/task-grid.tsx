import { count } from '../logic/words.ts'
import { phase, services, status } from '../state/mesh.ts'
import { taskHref } from '../state/route.ts'
import { TASKS, type Task } from '../tasks/index.ts'
import { TaskIcon } from './task-icon.tsx'

export function TaskGrid() {
  return (
    <ul class="task-grid">
      {TASKS.map(task => (
        <TaskCard key={task.service} task={task} />
      ))}
    </ul>
  )
}

function TaskCard({ task }: { task: Task }) {
  const { ready, text } = readiness(task.service)
  return (
    <li>
      <a class="task-card" href={taskHref(task.service)} data-ready={ready}>
        <TaskIcon name={task.icon} />
        <strong class="task-title">{task.title}</strong>
        <span class="task-blurb">{task.blurb}</span>
        <span class="task-ready">{text}</span>
      </a>
    </li>
  )
}

export function readiness(service: string): { ready: boolean; text: string } {
  if (phase.value.is === 'joining') return { ready: false, text: 'Looking who can do this…' }
  const here = services.value.find(({ name }) => name === service)?.workers.length ?? 0
  if (status.value === 'offline') return { ready: false, text: 'Offline' }
  return here > 0
    ? { ready: true, text: `${count(here, 'computer')} ready` }
    : { ready: false, text: 'Nobody offers this now' }
}
