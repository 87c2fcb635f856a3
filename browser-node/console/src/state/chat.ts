/** A conversation with a language model. It lives as long as the page. */
import type { Mesh } from '@hedgerow/browser-node'
import { signal } from '@preact/signals'
import { asArray, asRecord, asString } from '../logic/json.ts'
import { chatPieces } from '../logic/sse.ts'
import { announce } from './announce.ts'
import { send } from './send.ts'
import { entryOf } from './session.ts'

export interface Turn {
  role: 'user' | 'assistant'
  text: string
  /** the request that brought it */
  entry: number | undefined
}

export const turns = signal<Turn[]>([])
export const models = signal<string[]>([])
export const model = signal('')
export const busy = signal(false)

let controller: AbortController | undefined

export async function loadModels(mesh: Mesh): Promise<void> {
  const response = await mesh.fetch('/v1/models')
  if (!response.ok) return
  const list = asArray(asRecord(await response.json())?.data).flatMap(one => asString(asRecord(one)?.id) ?? [])
  models.value = list
}

export async function say(mesh: Mesh, title: string, text: string): Promise<void> {
  const history = [...turns.value, { role: 'user' as const, text, entry: undefined }]
  const messages = history.filter(turn => turn.text !== '').map(({ role, text: content }) => ({ role, content }))
  turns.value = [...history, { role: 'assistant', text: '', entry: undefined }]
  controller = new AbortController()
  busy.value = true
  announce('Sent. The answer appears as it is written.')
  let id: number | undefined
  try {
    await send({
      mesh,
      service: 'llm-inference',
      title,
      operation: 'POST /v1/chat/completions',
      wire: {
        path: '/v1/chat/completions',
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ messages, stream: true, ...(model.value !== '' ? { model: model.value } : {}) })
      },
      signal: controller.signal,
      onEntry: entry => {
        id = entry
        extend('', entry)
      },
      read: async response => {
        if (response.body == null) return
        for await (const piece of chatPieces(response.body)) extend(piece.text, id)
      }
    })
  } finally {
    busy.value = false
    controller = undefined
  }
  const entry = entryOf(id)
  announce(entry?.state === 'answered' ? `Answer: ${turns.value.at(-1)?.text ?? ''}` : (entry?.trouble?.title ?? ''))
}

function extend(text: string, entry: number | undefined): void {
  const last = turns.value.at(-1)
  if (last != null) turns.value = [...turns.value.slice(0, -1), { ...last, text: last.text + text, entry }]
}

/** Sends the last message once more. */
export function again(mesh: Mesh, title: string): void {
  const asked = turns.value.findLastIndex(({ role }) => role === 'user')
  const text = turns.value[asked]?.text
  if (text == null || busy.value) return
  turns.value = turns.value.slice(0, asked)
  void say(mesh, title, text)
}

export function hush(): void {
  controller?.abort()
}

export function startOver(): void {
  hush()
  turns.value = []
}
