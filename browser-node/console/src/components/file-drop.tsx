import { FileUp, X } from 'lucide-preact'
import { useId, useRef, useState } from 'preact/hooks'
import { size } from '../logic/words.ts'
import { announce } from '../state/announce.ts'
import type { Desk } from '../state/desk.ts'

/** A file by drag and drop, by the chooser, or pasted. */
export function FileDrop({ desk, label, accept }: { desk: Desk; label: string; accept: string | undefined }) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const file = desk.file.value
  const fault = desk.fault.value?.field === 'file' ? desk.fault.value.message : undefined
  const take = (files: FileList | null | undefined): void => {
    const first = files?.[0]
    if (first == null) return
    desk.file.value = first
    desk.fault.value = undefined
    announce(`${first.name} chosen.`)
  }
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    take(event.dataTransfer?.files)
  }
  const clear = (): void => {
    desk.file.value = undefined
    if (input.current != null) {
      input.current.value = ''
      input.current.focus()
    }
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="drop" data-over={over}>
        <FileUp size={26} strokeWidth={1.6} aria-hidden="true" />
        <span class="drop-words">
          {file == null ? (
            <>
              <strong>Drop a file here</strong> or choose one
            </>
          ) : (
            <>
              <strong>{file.name}</strong> {size(file.size)}
            </>
          )}
        </span>
        <input
          ref={input}
          id={id}
          type="file"
          accept={accept}
          aria-invalid={fault != null ? 'true' : undefined}
          aria-describedby={`${id}-hint`}
          onChange={event => take(event.currentTarget.files)}
          onPaste={event => take(event.clipboardData?.files)}
          onDragEnter={() => setOver(true)}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        />
      </div>
      <small id={`${id}-hint`} class={fault != null ? 'field-fault' : ''}>
        {fault ?? (file == null ? 'It goes to one computer of the mesh, and stays with nobody.' : 'Ready to be sent.')}
      </small>
      {file != null && (
        <button type="button" class="link-button" onClick={clear}>
          <X size={16} aria-hidden="true" /> Take it back
        </button>
      )}
    </div>
  )
}
