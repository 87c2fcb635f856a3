import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
/** A file, and one or more pieces of its tests' titles. */
const SHOWN = /`([\w/-]+\.test\.ts)`((?:,? "[^"]+")+)/g

describe('SECURITY.md', () => {
  it('names tests that there are, for every attack', async () => {
    const page = await readFile(root('SECURITY.md'), 'utf8')
    const rows = page.split('\n').filter(line => line.startsWith('| ') && line.split('|').length === 7)
    assert.ok(rows.length > 20)
    for (const row of rows.slice(2)) {
      const shown = [...row.matchAll(SHOWN)]
      assert.ok(shown.length > 0, `nothing shows: ${row.slice(0, 120)}`)
      for (const [, file = '', titles = ''] of shown) {
        const text = await readFile(root(file.includes('/') ? file : `test/test/${file}`), 'utf8')
        for (const [, title = ''] of titles.matchAll(/"([^"]+)"/g)) {
          assert.ok(text.includes(title), `${file} has no test about "${title}"`)
        }
      }
    }
  })
})
