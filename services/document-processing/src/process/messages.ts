import type { Outcome, ReadResult, ReadTask, RenderTask } from './task.ts'

/** To the child: a document, once; then what to do with it. The document before it is forgotten. */
export type ToChild = { document: Uint8Array } | { task: ReadTask | RenderTask }

/** From the child; `failed` is an error of the program rather than of the document. */
export type FromChild =
  | { started: true }
  | { outcome: Outcome<ReadResult | Uint8Array> }
  | { failed: { message: string; stack: string | undefined } }
