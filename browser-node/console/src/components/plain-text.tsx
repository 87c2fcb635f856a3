import { useId } from 'preact/hooks'
import type { Desk } from '../state/desk.ts'

/** In place of a file, what is typed: sent as JSON where it is JSON, else as text. */
export function PlainText({ desk }: { desk: Desk }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>Or a text</label>
      <textarea
        id={id}
        rows={5}
        value={desk.text.value}
        onInput={event => {
          desk.text.value = event.currentTarget.value
        }}
      />
    </div>
  )
}
