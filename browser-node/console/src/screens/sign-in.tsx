import { KeyRound } from 'lucide-preact'
import { useId, useState } from 'preact/hooks'
import { signIn } from '../state/mesh.ts'

/** The mesh is closed: whoever uses the page says by what they may come in. */
export function SignInScreen({ why }: { why: string | undefined }) {
  const id = useId()
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const submit = (event: Event): void => {
    event.preventDefault()
    if (text.trim() === '' || busy) return
    setBusy(true)
    void signIn(text).finally(() => setBusy(false))
  }
  return (
    <section class="empty">
      <KeyRound size={40} strokeWidth={1.5} aria-hidden="true" />
      <h1 tabIndex={-1}>This mesh is closed</h1>
      <p>Its maintainers give a key or an invite to the people who may use it. Paste yours here.</p>
      <form onSubmit={submit}>
        <div class="field">
          <label for={id}>Key or invite</label>
          <input
            id={id}
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            value={text}
            aria-describedby={why == null ? undefined : `${id}-why`}
            onInput={event => setText(event.currentTarget.value)}
          />
        </div>
        {why != null && (
          <p id={`${id}-why`} role="alert">
            That did not let you in. It may be mistyped, used up, or over.
          </p>
        )}
        <button type="submit" aria-busy={busy}>
          Come in
        </button>
      </form>
      <p class="muted">It is kept until you close this tab.</p>
      {why != null && (
        <details class="quiet">
          <summary>Details</summary>
          <p>{why}</p>
        </details>
      )}
    </section>
  )
}
