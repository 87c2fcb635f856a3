/** Numbers and ids in the form that people read. Absent values are a dash. */
import { printable } from './style.ts'

export const NONE = '–'

/** The end of a peer id: the beginnings are all alike. It can be pasted where a peer is asked for. */
export function shortId(peerId: string): string {
  const id = printable(peerId)
  return id.length <= 8 ? id : `…${id.slice(-8)}`
}

export function milliseconds(ms: number | null | undefined): string {
  if (ms == null) return NONE
  if (ms >= 100_000) return `${Math.round(ms / 1000)} s`
  if (ms >= 1000) return `${trim((ms / 1000).toFixed(1))} s`
  if (ms >= 10) return `${Math.round(ms)} ms`
  // Measured in whole milliseconds: nothing means less than one.
  return ms === 0 ? '<1 ms' : `${trim(ms.toFixed(ms >= 1 ? 1 : 2))} ms`
}

const UNITS: Array<[seconds: number, name: string]> = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min']
]

export function duration(seconds: number): string {
  const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? [1, 's']
  return `${Math.floor(Math.max(0, seconds) / size)} ${unit}`
}

/** @param iso when it was; unreadable dates are a dash */
export function age(iso: string, now: number): string {
  const at = Date.parse(iso)
  if (Number.isNaN(at)) return NONE
  return now - at < 1000 ? 'now' : `${duration((now - at) / 1000)} ago`
}

export function mebibytes(size: number): string {
  return size >= 1024 ? `${trim((size / 1024).toFixed(1))} GiB` : `${trim(size.toFixed(1))} MiB`
}

export function bytes(size: number): string {
  return size >= 1024 * 1024
    ? mebibytes(size / 1024 / 1024)
    : size >= 1024
      ? `${trim((size / 1024).toFixed(1))} KiB`
      : `${size} B`
}

export function percent(share: number): string {
  const value = share * 100
  if (value > 0 && value < 0.1) return '<0.1 %'
  return `${value > 0 && value < 10 ? trim(value.toFixed(1)) : Math.round(value)} %`
}

export function way(path: string | null, transport: string | null): string {
  if (path == null) return NONE
  return transport == null || path === 'local' ? path : `${path}/${transport}`
}

/** `1 peer`, `2 peers` */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

function trim(decimal: string): string {
  return decimal.replace(/\.0$/, '')
}
