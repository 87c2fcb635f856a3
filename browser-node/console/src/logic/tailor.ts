import type { Task } from '../tasks/index.ts'
import type { Operation } from './openapi.ts'

export interface Tailored extends Operation {
  /** names of the fields that are shown at once */
  main: string[]
  /** names of the fields that aren't shown */
  hidden: string[]
}

/** A form cut for the people who come for a task: their words, and what it is about can't be left out. */
export function tailored(operation: Operation, task: Task | undefined): Tailored {
  if (task == null || task.operation !== operation.id) return { ...operation, main: mainOf(operation), hidden: [] }
  const fields = operation.fields.map(field => {
    const isMain = task.main.includes(field.name)
    const label = task.labels[field.name] ?? field.label
    return { ...field, label, required: field.required || isMain, hint: isMain ? '' : field.hint }
  })
  return { ...operation, fields, main: task.main, hidden: task.hidden }
}

/** Where nobody said what matters: what is required; else all of the body. */
function mainOf({ fields }: Operation): string[] {
  const required = fields.filter(field => field.required)
  return (required.length > 0 ? required : fields.filter(({ in: place }) => place === 'body')).map(({ name }) => name)
}
