import { Counter, Gauge, type Registry } from 'prom-client'

/** Labels and a value, as they are now. */
export type Sample = [labels: Record<string, string>, value: number]

/** Metrics whose values others keep: they are read when Prometheus asks, and cost nothing in between. */
export class Instruments {
  readonly registers: Registry[]

  constructor(registry: Registry) {
    this.registers = [registry]
  }

  gauge(name: string, help: string, labelNames: string[], read: () => Iterable<Sample>): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: this.registers,
      collect() {
        this.reset()
        for (const [labels, value] of read()) this.set(labels, value)
      }
    })
  }

  /** @param read totals since the start, kept elsewhere */
  counter(name: string, help: string, labelNames: string[], read: () => Iterable<Sample>): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: this.registers,
      collect() {
        this.reset()
        for (const [labels, value] of read()) this.inc(labels, value)
      }
    })
  }
}

export const one = (value: number): Sample[] => [[{}, value]]

/** How many there are of each kind; kinds that there are none of are 0, so that an alert can tell them from unknown. */
export function tally(label: string, kinds: readonly string[], found: Iterable<string>): Sample[] {
  const counts = new Map(kinds.map(kind => [kind, 0]))
  for (const kind of found) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return Array.from(counts, ([kind, count]) => [{ [label]: kind }, count])
}
