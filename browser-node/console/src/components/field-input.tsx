import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { typeWords } from '../logic/entities.ts'
import type { Field } from '../logic/openapi.ts'
import type { FieldValue } from '../logic/request.ts'

interface FieldInputProps {
  field: Field
  value: FieldValue | undefined
  fault: string | undefined
  onChange(value: FieldValue | undefined): void
}

/** Texts that may be longer than this are whole papers. */
const LONG = 10_000

/** One field of a form, made of its schema. */
export function FieldInput({ field, value, fault, onChange }: FieldInputProps) {
  const id = useId()
  const { label, required, kind } = field
  const hint = fault ?? hintOf(field)
  const common = {
    id,
    name: field.name,
    required,
    'aria-invalid': fault != null ? ('true' as const) : undefined,
    'aria-describedby': hint !== '' ? `${id}-hint` : undefined
  }
  const text = typeof value === 'string' ? value : ''
  const take = (event: Event): void => onChange((event.currentTarget as HTMLInputElement).value)
  const note = hint !== '' && (
    <small id={`${id}-hint`} class={fault != null ? 'field-fault' : ''}>
      {hint}
    </small>
  )
  if (kind === 'boolean')
    return (
      <div class="field">
        <label class="check" for={id}>
          <input
            {...common}
            type="checkbox"
            checked={value === true}
            onChange={event => onChange(event.currentTarget.checked ? true : undefined)}
          />
          {label}
        </label>
        {note}
      </div>
    )
  if (kind === 'choices') return <Choices field={field} value={value} note={note} onChange={onChange} />
  return (
    <div class="field">
      <label for={id}>
        {label}
        {!required && <span class="optional"> (optional)</span>}
      </label>
      {kind === 'choice' ? (
        <select {...common} value={text} onChange={take}>
          {field.initial == null && <option value="">as usual</option>}
          {field.options.map(option => (
            <option key={option} value={option}>
              {option}
            </option>
          ))}
        </select>
      ) : kind === 'long-text' || kind === 'json' ? (
        <textarea
          {...common}
          rows={kind === 'json' || (field.maxLength ?? Infinity) < LONG ? 3 : 9}
          maxLength={field.maxLength}
          value={text}
          onInput={take}
          spellcheck={kind !== 'json'}
        />
      ) : kind === 'text' ? (
        <input {...common} type="text" maxLength={field.maxLength} value={text} onInput={take} />
      ) : (
        <input
          {...common}
          type="number"
          min={field.min}
          max={field.max}
          step={kind === 'integer' ? 1 : 'any'}
          value={text}
          onInput={take}
        />
      )}
      {note}
    </div>
  )
}

function Choices({ field, value, note, onChange }: Omit<FieldInputProps, 'fault'> & { note: ComponentChildren }) {
  const chosen = Array.isArray(value) ? value : []
  const toggle = (option: string): void =>
    onChange(chosen.includes(option) ? chosen.filter(one => one !== option) : [...chosen, option])
  return (
    <fieldset class="field choices">
      <legend>
        {field.label}
        <span class="optional"> (optional)</span>
      </legend>
      {field.options.map(option => (
        <label key={option} class="choice">
          <input type="checkbox" checked={chosen.includes(option)} onChange={() => toggle(option)} />
          {typeWords(option, true)}
        </label>
      ))}
      {note}
    </fieldset>
  )
}

function hintOf({ hint, min, max, kind }: Field): string {
  if (hint !== '') return hint
  const isNumber = kind === 'number' || kind === 'integer'
  return isNumber && min != null && max != null ? `${min} to ${max}` : ''
}
