/** Sizes, times and counts as people say them. */

export function duration(ms: number): string {
  if (ms < 1) return 'under 1 ms'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`
  const minutes = Math.floor(ms / 60_000)
  return `${minutes} min ${Math.round((ms - minutes * 60_000) / 1000)} s`
}

export function size(bytes: number): string {
  if (bytes < 1024) return count(bytes, 'byte')
  if (bytes < 1024 ** 2) return `${Math.round(bytes / 1024)} kB`
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MB`
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

/** `a`, `a and b`, `a, b and c`, `a, b and 3 others` */
export function listed(items: readonly string[], most = 4): string {
  if (items.length <= 1) return items[0] ?? ''
  if (items.length > most) return `${items.slice(0, most - 1).join(', ')} and ${items.length - most + 1} others`
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`
}

export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** `min_confidence`, `minConfidence`, `top-k` → `Min confidence`, … */
export function labelOf(name: string): string {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase()
  return upperFirst(words)
}

/** How a path is called on the page. */
export function pathWords(path: string | null | undefined): string {
  switch (path) {
    case 'direct':
      return 'directly'
    case 'relayed':
      return 'through a relay'
    case 'bridged':
      return 'by the relay’s web address'
    case 'local':
      return 'on the same computer'
    default:
      return 'not connected'
  }
}
