/** How requests can end, as far as who watches a mesh cares. The log and `/explain` say it exactly. */
export const OUTCOMES = [
  /** a service's answer below 400 */
  'answered',
  /** the caller's own fault: not allowed, malformed, no such service */
  'refused',
  /** 429: every worker's queue is full, or the caller asks too often */
  'busy',
  /** 499: the caller left */
  'gone',
  /** 5xx, by the mesh or by a service */
  'failed'
] as const

export type Outcome = (typeof OUTCOMES)[number]

export function outcomeOf(status: number): Outcome {
  if (status < 400) return 'answered'
  if (status === 429) return 'busy'
  if (status === 499) return 'gone'
  return status < 500 ? 'refused' : 'failed'
}

const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** A service may answer with any three digits. */
export function statusClassOf(status: number): string {
  return STATUS_CLASSES[Math.floor(status / 100) - 1] ?? 'other'
}
