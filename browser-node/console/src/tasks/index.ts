/**
 * What people come for, in their words. A task is a service's main operation with a form cut down to what matters, a
 * way to show the answer, and examples. Services that aren't here get a form from their schema alone.
 */
import type { Mesh } from '@hedgerow/browser-node'
import type { Values } from '../logic/request.ts'
import { chat } from './chat.ts'
import { document } from './document.ts'
import { letter } from './letter.ts'
import { manuals } from './manuals.ts'
import { names } from './names.ts'
import { scan } from './scan.ts'

export type AnswerKind = 'entities' | 'letter' | 'ocr' | 'document' | 'passages' | 'json'
export type IconName = 'scan' | 'names' | 'letter' | 'manuals' | 'document' | 'chat' | 'other'

export interface Example {
  label: string
  values?: Values
  /** fetched when the example is tried */
  file?: { url: string; name: string; type: string }
  /** puts in place what the example needs, as documents to ask about */
  prepare?(mesh: Mesh, signal: AbortSignal): Promise<void>
}

export interface Task {
  service: string
  title: string
  blurb: string
  icon: IconName
  /** on the button */
  verb: string
  /** `POST /extract`; the operation that a task stands for */
  operation: string
  /** fields shown at once; the others are under “More options” */
  main: string[]
  /** fields that the page fills in itself or that repeat another */
  hidden: string[]
  /** operations that are no business of people */
  internal?: RegExp
  /** always sent along */
  fixed?: Values
  /** in place of the schema's words */
  labels: Record<string, string>
  /** above the drop zone */
  fileLabel?: string
  /** for the file chooser */
  accept?: string
  answer: AnswerKind
  examples: Example[]
}

/** In the order of the main screen. */
export const TASKS: readonly Task[] = [scan, names, letter, manuals, document, chat]

export function taskOf(service: string): Task | undefined {
  return TASKS.find(task => task.service === service)
}
