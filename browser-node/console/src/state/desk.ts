/**
 * What lies on the desk for each operation: what was filled in, and the last answer. It stays while the page lives, so
 * that going elsewhere and coming back loses nothing and interrupts nothing.
 */
import type { Mesh } from '@hedgerow/browser-node'
import { type Signal, signal } from '@preact/signals'
import { parseJson } from '../logic/json.ts'
import type { Operation } from '../logic/openapi.ts'
import { DraftError, type Values, wireOf } from '../logic/request.ts'
import { tailored } from '../logic/tailor.ts'
import type { Example, Task } from '../tasks/index.ts'
import { announce } from './announce.ts'
import { send } from './send.ts'
import { entryOf } from './session.ts'

/** An answer with what it answers. */
export interface Answer {
  sent: { values: Values; text: string; file: File | undefined }
  content:
    | { is: 'json'; value: unknown }
    | { is: 'text'; text: string }
    | { is: 'file'; blob: Blob; name: string }
    | { is: 'nothing' }
}

export interface Desk {
  values: Signal<Values>
  file: Signal<File | undefined>
  text: Signal<string>
  /** the body, while it is written by hand */
  json: Signal<string | undefined>
  entry: Signal<number | undefined>
  answer: Signal<Answer | undefined>
  /** the field to blame, found before anything was sent */
  fault: Signal<{ field: string; message: string } | undefined>
  /** what is done before the request itself */
  preparing: Signal<string | undefined>
  controller: AbortController | undefined
}

const desks = new Map<string, Desk>()

export function deskOf(service: string, operation: Operation): Desk {
  const key = `${service} ${operation.id}`
  const known = desks.get(key)
  if (known != null) return known
  const initial = operation.fields.flatMap(({ name, initial: value }) => (value == null ? [] : [[name, value]]))
  const desk: Desk = {
    values: signal<Values>(Object.fromEntries(initial)),
    file: signal(undefined),
    text: signal(''),
    json: signal(undefined),
    entry: signal(undefined),
    answer: signal(undefined),
    fault: signal(undefined),
    preparing: signal(undefined),
    controller: undefined
  }
  desks.set(key, desk)
  return desk
}

export interface Job {
  mesh: Mesh
  service: string
  title: string
  operation: Operation
  task: Task | undefined
}

export async function run(desk: Desk, { mesh, service, title, operation, task }: Job): Promise<void> {
  desk.fault.value = undefined
  const fixed = task?.operation === operation.id ? task.fixed : undefined
  const sent = { values: { ...desk.values.value, ...fixed }, text: desk.text.value, file: desk.file.value }
  try {
    const wire = wireOf({ operation: tailored(operation, task), ...sent, json: desk.json.value })
    desk.controller?.abort()
    const controller = new AbortController()
    desk.controller = controller
    announce(`${title}: sent.`)
    await send({
      mesh,
      service,
      title,
      operation: operation.id,
      wire,
      signal: controller.signal,
      onEntry: id => {
        desk.entry.value = id
        desk.answer.value = undefined
      },
      read: async response => {
        desk.answer.value = { sent, content: await contentOf(response) }
      }
    })
    announceEnd(desk)
  } catch (err) {
    if (!(err instanceof DraftError)) throw err
    desk.fault.value = { field: err.field, message: err.message }
    announce(err.message)
  }
}

/** Fills the form with an example and sends it. */
export async function tryExample(desk: Desk, job: Job, example: Example): Promise<void> {
  desk.json.value = undefined
  desk.values.value = { ...desk.values.value, ...example.values }
  const controller = new AbortController()
  desk.controller?.abort()
  desk.controller = controller
  try {
    if (example.file != null) {
      desk.preparing.value = 'Fetching the sample…'
      const { url, name, type } = example.file
      const response = await fetch(url, { signal: controller.signal })
      if (!response.ok) throw new Error(`It isn’t there (${response.status}).`)
      desk.file.value = new File([await response.blob()], name, { type })
    }
    if (example.prepare != null) {
      desk.preparing.value = 'Putting a sample manual in place…'
      await example.prepare(job.mesh, controller.signal)
    }
  } catch (err) {
    if (!controller.signal.aborted)
      desk.fault.value = { field: '', message: `The example couldn’t be fetched. ${reasonIn(err)}` }
    return
  } finally {
    desk.preparing.value = undefined
  }
  await run(desk, job)
}

/** Browsers say of a lost connection, or of a script that can't be had, no more than that it is a `TypeError`. */
function reasonIn(err: unknown): string {
  if (err instanceof Error && !(err instanceof TypeError)) return err.message
  return 'It comes from the relay, which doesn’t answer right now; your own text or file can be sent all the same.'
}

export function stop(desk: Desk): void {
  desk.controller?.abort()
}

function announceEnd(desk: Desk): void {
  const entry = entryOf(desk.entry.value)
  if (entry?.state === 'answered') announce(`${entry.title}: the answer is here.`)
  else if (entry?.trouble != null) announce(`${entry.trouble.title} ${entry.trouble.advice}`)
}

async function contentOf(response: Response): Promise<Answer['content']> {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (response.status === 204) return { is: 'nothing' }
  if (type === 'application/json' || type.endsWith('+json')) {
    const text = await response.text()
    const value = parseJson(text)
    return value === undefined ? { is: 'text', text } : { is: 'json', value }
  }
  if (type.startsWith('text/')) return { is: 'text', text: await response.text() }
  const blob = await response.blob()
  return { is: 'file', blob: blob.type === '' ? new Blob([blob], { type }) : blob, name: nameOf(type) }
}

function nameOf(type: string): string {
  const extension = /^[\w.+-]+\/([\w-]+)/.exec(type)?.[1] ?? 'bin'
  return `answer.${extension === 'octet-stream' ? 'bin' : extension}`
}
