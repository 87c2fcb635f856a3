/** Prometheus's own checks, and what its files and a peer's `/metrics` name. */
import { spawnSync } from 'node:child_process'
import { aptInstall } from './hosts.ts'

/** Whether `promtool` is here; installs it where that is possible. */
export function hasPromtool(): boolean {
  const there = (): boolean => spawnSync('promtool', ['--version']).status === 0
  if (!there() && process.platform === 'linux' && process.getuid?.() === 0) aptInstall('prometheus')
  return there()
}

/** @throws {Error} with what it found wrong */
export function promtool(args: string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', input })
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`)
  return stdout
}

/** What a peer says of its metrics, as far as their names and labels go. */
export interface Exposed {
  /** name to type */
  types: Map<string, string>
  /** name of a label to all values that it has anywhere */
  labels: Map<string, Set<string>>
}

export function exposed(text: string): Exposed {
  const types = new Map<string, string>()
  const labels = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\w+) (\w+)$/.exec(line) ?? []
    if (name != null && type != null) types.set(name, type)
    const [, inBraces = ''] = /^hedgerow_\w+\{(.*)\} /.exec(line) ?? []
    for (const [, label = '', value = ''] of inBraces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      const values = labels.get(label) ?? new Set()
      labels.set(label, values.add(value))
    }
  }
  return { types, labels }
}

/** Our metrics in an expression, each by the name it is declared with. */
export function metricsIn(expressions: string, types: ReadonlyMap<string, string>): Set<string> {
  const names = expressions.match(/\bhedgerow_\w+/g) ?? []
  return new Set(
    names.map(name => {
      const base = name.replace(/_(bucket|count|sum)$/, '')
      return types.get(base) === 'histogram' ? base : name
    })
  )
}
