import type { Mesh } from '@hedgerow/browser-node'
import { SendHorizontal, Square } from 'lucide-preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { again, busy, hush, loadModels, model, models, say, startOver, turns } from '../state/chat.ts'
import { canSend } from '../state/mesh.ts'
import { chat } from '../tasks/chat.ts'
import { ChatTurn } from './chat-turn.tsx'
import { Nobody } from './nobody.tsx'

export function ChatTask({ mesh, here }: { mesh: Mesh; here: number }) {
  const [text, setText] = useState('')
  const box = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    if (here > 0) loadModels(mesh).catch(() => {})
  }, [mesh, here > 0])
  if (here === 0 && turns.value.length === 0) return <Nobody title={chat.title} />
  const send = (words: string): void => {
    if (words.trim() === '' || busy.value) return
    setText('')
    void say(mesh, chat.title, words.trim())
    box.current?.focus()
  }
  return (
    <section class="card chat" aria-label="Conversation">
      {turns.value.length === 0 ? (
        <div class="answer-empty">
          <h2>Ask anything</h2>
          <p>A language model answers. It can be wrong: check what matters.</p>
          <div class="examples">
            {chat.examples.map(({ label, values }) => (
              <button type="button" key={label} class="chip" onClick={() => send(String(values?.prompt ?? ''))}>
                {label}
              </button>
            ))}
          </div>
        </div>
      ) : (
        <ol class="turns">
          {turns.value.map((turn, i) => (
            <ChatTurn key={i} turn={turn} last={i === turns.value.length - 1} onRetry={() => again(mesh, chat.title)} />
          ))}
        </ol>
      )}
      <form
        class="chat-form"
        onSubmit={event => {
          event.preventDefault()
          send(text)
        }}
      >
        <label class="visually-hidden" for="chat-box">
          Your message
        </label>
        <textarea
          id="chat-box"
          ref={box}
          rows={2}
          placeholder="Your message"
          value={text}
          onInput={event => setText(event.currentTarget.value)}
          onKeyDown={event => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
            event.preventDefault()
            send(text)
          }}
        />
        {busy.value ? (
          <button type="button" class="secondary" onClick={hush}>
            <Square size={16} aria-hidden="true" /> Stop
          </button>
        ) : (
          <button type="submit" disabled={!canSend.value || here === 0 || text.trim() === ''}>
            <SendHorizontal size={16} aria-hidden="true" /> Send
          </button>
        )}
      </form>
      <div class="chat-foot">
        {models.value.length > 1 && (
          <label>
            Model{' '}
            <select
              value={model.value}
              onChange={event => {
                model.value = event.currentTarget.value
              }}
            >
              <option value="">as usual</option>
              {models.value.map(id => (
                <option key={id} value={id}>
                  {id}
                </option>
              ))}
            </select>
          </label>
        )}
        {turns.value.length > 0 && (
          <button type="button" class="link-button" onClick={startOver}>
            Start over
          </button>
        )}
        <small>Enter sends, Shift and Enter begin a new line.</small>
      </div>
    </section>
  )
}
