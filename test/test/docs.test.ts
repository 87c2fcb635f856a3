import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const tracked = (...patterns: string[]): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], {
    cwd: ROOT,
    encoding: 'utf8'
  })
    .split('\n')
    .filter(file => file !== '' && existsSync(join(ROOT, file)))

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** A page without what is only shown: blocks of code, and code within lines. */
const withoutCode = (text: string): string =>
  text.replace(/^ {0,3}(```+|~~~+)[\s\S]*?^ {0,3}\1.*$/gm, '').replace(/(`+)[^`\n](?:.*?[^`\n])??\1/g, '')

/** As GitHub makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of text
    .replace(/^ {0,3}(```+)[\s\S]*?^ {0,3}\1.*$/gm, '')
    .matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`
    anchors.add(anchor)
  }
  return anchors
}

describe('the pages of the documentation', () => {
  const pages = tracked('*.md')

  it('link to what there is, and to headings that are there', () => {
    const broken: string[] = []
    let checked = 0
    for (const page of pages) {
      for (const [, target = ''] of withoutCode(read(page)).matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)) {
        if (/^[a-z][a-z+.-]*:/i.test(target)) continue
        checked++
        const [path = '', anchor] = target.split('#')
        const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURIComponent(path))
        if (!existsSync(file) || relative(ROOT, file).startsWith('..')) broken.push(`${page}: ${target}`)
        else if (anchor != null && statSync(file).isFile() && !anchorsOf(readFileSync(file, 'utf8')).has(anchor))
          broken.push(`${page}: ${target}`)
      }
    }
    assert.deepEqual(broken, [])
    assert.ok(checked > 60, `${checked} links`)
  })

  it('are all found from the first page: each guide stands in its index', () => {
    const readme = read('README.md')
    const guides = pages.filter(page => /^docs\/[^/]+\.md$/.test(page))
    assert.deepEqual(
      guides.filter(guide => !readme.includes(`(${guide})`)),
      []
    )
  })
})

describe('the page for troubleshooting', () => {
  const sources = tracked('protocols/src/*.ts', 'daemon/src/*.ts', 'bootstrap-relay/src/*.ts', 'browser-node/src/*.ts')
    .map(read)
    // What is cut in two by a line's end, or has a value put in, is still one text.
    .map(text => text.replace(/'\s*\+\s*'/g, '').replaceAll("\\'", "'"))

  const quotes = read('docs/troubleshoot.md')
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
    .flatMap(line => [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, quote = '']) => quote))

  it('quotes what the programs say', () => {
    assert.ok(quotes.length > 50, `${quotes.length} quotes`)
    const unknown = quotes.filter(quote => {
      const pieces = quote.split('…').filter(piece => piece.trim() !== '')
      return !sources.some(source => pieces.every(piece => source.includes(piece)))
    })
    assert.deepEqual(unknown, [])
  })
})
