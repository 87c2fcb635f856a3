/** The requests of this session. They live as long as the page; nothing is put into any storage. */
import type { Explanation, Progress } from '@hedgerow/browser-node'
import { signal } from '@preact/signals'
import type { Trouble } from '../logic/problem.ts'
import type { TimeParts } from '../logic/server-timing.ts'

export interface Entry {
  id: number
  service: string
  title: string
  /** `POST /extract` */
  operation: string
  at: Date
  state: 'under-way' | 'answered' | 'failed' | 'stopped'
  /** milliseconds since the start, once known */
  firstByte: number | undefined
  total: number | undefined
  progress: Progress | undefined
  receipt: Receipt | undefined
  trouble: Trouble | undefined
}

/** Where an answer came from; read from its headers. */
export interface Receipt {
  requestId: string | undefined
  worker: string | undefined
  path: string | undefined
  transport: string | undefined
  attempts: number
  timing: TimeParts | undefined
  status: number
  explanation: Explanation | undefined
}

const MOST = 100
let last = 0

export const entries = signal<Entry[]>([])

export function begin(of: Pick<Entry, 'service' | 'title' | 'operation'>): Entry {
  const entry: Entry = {
    ...of,
    id: ++last,
    at: new Date(),
    state: 'under-way',
    firstByte: undefined,
    total: undefined,
    progress: undefined,
    receipt: undefined,
    trouble: undefined
  }
  entries.value = [entry, ...entries.value].slice(0, MOST)
  return entry
}

export function update(id: number, change: Partial<Entry>): void {
  entries.value = entries.value.map(entry => (entry.id === id ? { ...entry, ...change } : entry))
}

export const entryOf = (id: number | undefined): Entry | undefined => entries.value.find(entry => entry.id === id)
