import { Play, ShieldAlert, Square } from 'lucide-preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Field } from '../logic/openapi.ts'
import { tailored } from '../logic/tailor.ts'
import { type Desk, type Job, run, stop } from '../state/desk.ts'
import { canSend } from '../state/mesh.ts'
import { entryOf } from '../state/session.ts'
import { BodyEditor } from './body-editor.tsx'
import { FieldInput } from './field-input.tsx'
import { FileDrop } from './file-drop.tsx'
import { PlainText } from './plain-text.tsx'

export function RequestForm({ job, desk }: { job: Job; desk: Desk }) {
  const { task } = job
  const operation = tailored(job.operation, task)
  const isMain = task?.operation === operation.id
  const underWay = entryOf(desk.entry.value)?.state === 'under-way' || desk.preparing.value != null
  const form = useRef<HTMLFormElement>(null)
  const fault = faultOf(desk)
  useEffect(() => {
    if (fault != null && fault.field !== '') form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [fault?.field, fault?.message])
  const offered = operation.fields.filter(({ name }) => !operation.hidden.includes(name))
  const shown = offered.filter(({ name }) => operation.main.includes(name))
  const more = offered.filter(({ name }) => !operation.main.includes(name))
  const input = (field: Field) => (
    <FieldInput
      key={field.name}
      field={field}
      value={desk.values.value[field.name]}
      fault={fault?.field === field.name ? fault.message : undefined}
      onChange={value => {
        desk.values.value = { ...desk.values.value, [field.name]: value }
        if (desk.fault.value?.field === field.name) desk.fault.value = undefined
      }}
    />
  )
  const byHand = desk.json.value != null
  return (
    <form
      ref={form}
      noValidate
      onSubmit={event => {
        event.preventDefault()
        if (!underWay) void run(desk, job)
      }}
    >
      {operation.body === 'any' && (
        <>
          <FileDrop
            desk={desk}
            label={(isMain && task?.fileLabel) || 'File'}
            accept={isMain ? task?.accept : undefined}
          />
          {(!isMain || task?.fileLabel == null) && desk.file.value == null && <PlainText desk={desk} />}
        </>
      )}
      {(byHand ? shown.filter(field => field.in !== 'body') : shown).map(input)}
      {more.length > 0 && !byHand && (
        <details class="quiet">
          <summary>More options</summary>
          {more.map(input)}
        </details>
      )}
      {operation.body === 'json' && <BodyEditor desk={desk} job={job} />}
      {fault != null && !operation.fields.some(({ name }) => name === fault.field) && (
        <p class="field-fault" role="alert">
          {fault.message}
        </p>
      )}
      <div class="actions">
        {/* It stays where it is while a request runs, so that keyboard focus does too. */}
        <button type="submit" disabled={!canSend.value} aria-disabled={underWay}>
          <Play size={16} aria-hidden="true" /> {(isMain && task?.verb) || 'Send'}
        </button>
        {underWay && (
          <button type="button" class="secondary" onClick={() => stop(desk)}>
            <Square size={16} aria-hidden="true" /> Stop
          </button>
        )}
        {canSend.value ? (
          <span class="confidential">
            <ShieldAlert size={16} aria-hidden="true" /> Nothing confidential, please
          </span>
        ) : (
          <span class="muted">You can send it when the connection is back.</span>
        )}
      </div>
    </form>
  )
}

/** Found here before sending, or named by the service in its answer. */
function faultOf(desk: Desk): { field: string; message: string } | undefined {
  if (desk.fault.value != null) return desk.fault.value
  const trouble = entryOf(desk.entry.value)?.trouble
  return trouble?.kind === 'input' && trouble.field != null
    ? { field: trouble.field, message: trouble.advice }
    : undefined
}
