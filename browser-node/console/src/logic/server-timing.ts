/** How long each part of a request took, in milliseconds, as `Server-Timing` and the page's own clock say. */
export interface TimeParts {
  queue: number
  network: number
  backend: number
}

/**
 * Reads the header as W3C Server Timing has it: names with parameters, of which `dur` counts. Unknown names
 * and broken numbers are passed over.
 */
export function parseServerTiming(header: string | null): TimeParts | undefined {
  if (header == null) return undefined
  const parts: TimeParts = { queue: 0, network: 0, backend: 0 }
  let found = false
  for (const metric of header.split(',')) {
    const [name = '', ...params] = metric.split(';').map(part => part.trim())
    if (!isPart(name)) continue
    const dur = params.find(param => /^dur\s*=/i.test(param))?.split('=')[1]
    const value = Number(dur?.trim().replace(/^"|"$/g, ''))
    if (!Number.isFinite(value) || value < 0) continue
    parts[name] += value
    found = true
  }
  return found ? parts : undefined
}

function isPart(name: string): name is keyof TimeParts {
  return name === 'queue' || name === 'network' || name === 'backend'
}

export interface Segment {
  kind: 'queue' | 'network' | 'backend' | 'transfer'
  label: string
  ms: number
}

const LABELS = {
  queue: 'waiting for its turn',
  network: 'on the way',
  backend: 'being worked on',
  transfer: 'receiving the answer'
} as const

/**
 * The stretches of a request's time line. What is left of the total after the first byte is the transfer.
 *
 * @param firstByte milliseconds until the answer's head arrived
 * @param total milliseconds until its end
 */
export function segmentsOf(parts: TimeParts | undefined, firstByte: number, total: number): Segment[] {
  const known = parts ?? { queue: 0, network: 0, backend: 0 }
  const backend = Math.min(known.backend, firstByte)
  const queue = Math.min(known.queue, firstByte - backend)
  // What the header can't know of, the page's own stretch, counts as the way.
  const network = Math.max(0, firstByte - backend - queue)
  const transfer = Math.max(0, total - firstByte)
  const all: Segment[] = [
    { kind: 'queue', label: LABELS.queue, ms: queue },
    { kind: 'network', label: LABELS.network, ms: network },
    { kind: 'backend', label: LABELS.backend, ms: backend },
    { kind: 'transfer', label: LABELS.transfer, ms: transfer }
  ]
  return all.filter(({ ms }) => ms > 0)
}
