import { useEffect } from 'preact/hooks'
import { Back } from '../components/back.tsx'
import { ChatTask } from '../components/chat-task.tsx'
import { Nobody } from '../components/nobody.tsx'
import { OperationPicker } from '../components/operation-picker.tsx'
import { OperationTask } from '../components/operation-task.tsx'
import { Skeleton } from '../components/skeleton.tsx'
import { readiness } from '../components/task-grid.tsx'
import { TaskIcon } from '../components/task-icon.tsx'
import { TroubleNotice } from '../components/trouble-notice.tsx'
import type { Operation } from '../logic/openapi.ts'
import { mesh, phase, services } from '../state/mesh.ts'
import { loadSchema, schemas } from '../state/schemas.ts'
import { type Task, taskOf } from '../tasks/index.ts'

export function TaskScreen({ service, operation }: { service: string; operation: string | undefined }) {
  const task = taskOf(service)
  const info = services.value.find(({ name, aliases }) => name === service || aliases.includes(service))
  const here = info?.workers.length ?? 0
  return (
    <>
      <Back href="#/">All tasks</Back>
      <section class="hero task-hero">
        <TaskIcon name={task?.icon ?? 'other'} />
        <div>
          <h1 tabIndex={-1}>{task?.title ?? service}</h1>
          <p class="lead">{task?.blurb ?? info?.title ?? 'A service of this mesh.'}</p>
        </div>
        {here > 0 && <p class="task-ready">{readiness(info?.name ?? service).text}</p>}
      </section>
      <Content service={service} task={task} here={here} version={info?.version ?? ''} operation={operation} />
    </>
  )
}

interface ContentProps {
  service: string
  task: Task | undefined
  here: number
  version: string
  operation: string | undefined
}

function Content({ service, task, here, version, operation }: ContentProps) {
  const joined = mesh.value
  const title = task?.title ?? service
  const isChat = service === 'llm-inference' && operation == null
  const schema = schemas.value[`${service}@${version}`]
  useEffect(() => {
    if (joined != null && here > 0 && !isChat) void loadSchema(joined, service, version, title)
  }, [joined, here > 0, service, version, isChat])

  if (phase.value.is === 'joining' || joined == null) return <Skeleton label="Joining the mesh…" />
  if (isChat) return <ChatTask mesh={joined} here={here} />
  if (schema == null) return here === 0 ? <Nobody title={title} /> : <Skeleton label="Fetching the form…" />
  if (schema.trouble != null)
    return <TroubleNotice trouble={schema.trouble} onRetry={() => void loadSchema(joined, service, version, title)} />
  const offered = visible(schema.operations, task)
  const shown = offered.find(({ id }) => id === operation) ?? mainOf(offered, task)
  if (shown == null) return <Skeleton label="This service names nothing that can be asked of it." />
  return (
    <>
      {here === 0 && <Nobody title={title} />}
      <OperationTask key={shown.id} job={{ mesh: joined, service, title, operation: shown, task }}>
        <OperationPicker service={service} operations={offered} shown={shown} />
      </OperationTask>
    </>
  )
}

function visible(operations: Operation[], task: Task | undefined): Operation[] {
  return operations.filter(({ id, path }) => path !== '/openapi.json' && task?.internal?.test(id) !== true)
}

function mainOf(operations: Operation[], task: Task | undefined): Operation | undefined {
  return operations.find(({ id }) => id === task?.operation) ?? operations[0]
}
