import type { Format } from '../letter/formats.ts'
import type { People } from '../letter/view.ts'

export interface ConvertTask {
  number: number
  notes: string
  people: People
  format: Format
  rephrase: boolean
}

/** What the language model made of a paragraph, or why it can't be had. */
export type Rewrite = { text: string } | { unavailable: string }

/** To the thread: notes to convert; a caller who left; what the model answered. */
export type ToThread = { convert: ConvertTask } | { forget: number } | { question: number; rewrite: Rewrite }

/** Errors lose their class between threads, so those meant for the caller are told as data. */
export interface Refusal {
  status: number
  code: string
  detail: string
  extensions: Record<string, unknown>
}

/** From the thread; `answer` is the reply as JSON, `question` has the model asked on behalf of the task. */
export type FromThread =
  | { started: true }
  | { number: number; answer: Uint8Array }
  | { number: number; refusal: Refusal }
  | { number: number; failed: { message: string; stack: string | undefined } }
  | { number: number; question: number; paragraph: string }
