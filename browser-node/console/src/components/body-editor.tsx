import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { jsonOf } from '../logic/request.ts'
import type { Desk, Job } from '../state/desk.ts'

/** The body as JSON, for who wants to write it by hand. The editor is loaded when it is opened. */
export function BodyEditor({ desk, job }: { desk: Desk; job: Job }) {
  const open = desk.json.value != null
  const toggle = (): void => {
    desk.json.value = open ? undefined : JSON.stringify(safeJson(desk, job), null, 2)
  }
  return (
    <div class="field">
      <button type="button" class="link-button" aria-expanded={open} onClick={toggle}>
        {open ? 'Back to the form' : 'Write the JSON by hand'}
      </button>
      {open && <Editor desk={desk} />}
    </div>
  )
}

const LABEL = 'The request as JSON'

function Editor({ desk }: { desk: Desk }) {
  const host = useRef<HTMLDivElement>(null)
  const id = useId()
  const text = desk.json.value ?? ''
  const problem = problemOf(text)
  const write = (value: string): void => {
    desk.json.value = value
  }
  const [state, setState] = useState<'loading' | 'ready' | 'missing'>('loading')
  useEffect(() => {
    let gone = false
    let close: (() => void) | undefined
    import('./editor/editor.ts').then(
      ({ openEditor }) => {
        if (gone || host.current == null) return
        close = openEditor(host.current, text, LABEL, write)
        setState('ready')
      },
      // It comes from the relay, which may have gone since the page was opened: a plain field does as well.
      () => setState('missing')
    )
    return () => {
      gone = true
      close?.()
    }
  }, [])
  return (
    <>
      {state === 'missing' ? (
        <textarea aria-label={LABEL} rows={8} value={text} onInput={event => write(event.currentTarget.value)} />
      ) : (
        <div ref={host} class="editor" aria-busy={state === 'loading'} />
      )}
      <small id={id} class={problem == null ? '' : 'field-fault'} aria-live="polite">
        {problem ?? 'This is sent as it stands.'}
      </small>
    </>
  )
}

function problemOf(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (err) {
    return `Not complete JSON yet: ${err instanceof Error ? err.message : String(err)}`
  }
}

function safeJson(desk: Desk, { operation, task }: Job): Record<string, unknown> {
  const fixed = task?.operation === operation.id ? task.fixed : undefined
  try {
    return jsonOf(operation, { ...desk.values.value, ...fixed })
  } catch {
    // a field that can't be read yet; by hand it can be put right
    return {}
  }
}
