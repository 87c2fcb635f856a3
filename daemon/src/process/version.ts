import { readFileSync } from 'node:fs'

/** The version of this package, from the nearest package.json: the sources' or the published one's. */
export const VERSION: string = (() => {
  for (const place of ['../../package.json', '../../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'))
      return String(version)
    } catch {}
  }
  return '0.0.0'
})()
