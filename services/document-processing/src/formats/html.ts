import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import { DocumentError } from '../errors.ts'
import { MAX_HTML, MAX_HTML_ELEMENTS, MAX_HTML_NESTING } from '../limits.ts'
import type { ReadResult } from '../process/task.ts'
import { htmlText } from './html-text.ts'
import { checkNesting, elementsIn } from './markup-limits.ts'
import { decode, pagesOf } from './text.ts'

/** Marks of a web site's page, whose menus and advertisements are no part of what it says */
const SITE_MARKS = 'nav, aside, [role=navigation], [role=complementary]'
/** A text that loses more than this share of itself is no article with things around it, but a document. */
const LEAST_KEPT = 0.35
/** bytes in which a page names its encoding */
const CHARSET_WITHIN = 2048
/** Readability goes over a tree many times, and up from each element: past these it is left out. */
const MAX_ELEMENTS = 20_000
const MAX_DEPTH = 200

/**
 * Of a web site's page the article, of any other document (a letter, an e-mail) all that it shows. Nothing is fetched
 * and no script runs: the tree is only read.
 *
 * @throws {DocumentError}
 */
export function readHtml(bytes: Uint8Array, charset: string | undefined): ReadResult {
  if (bytes.length > MAX_HTML) {
    throw new DocumentError('DocumentTooComplex', `HTML may have ${MAX_HTML} bytes at most; this has ${bytes.length}`)
  }
  const elements = elementsIn(bytes)
  if (elements > MAX_HTML_ELEMENTS) {
    throw new DocumentError(
      'DocumentTooComplex',
      `the HTML has ${elements} elements; ${MAX_HTML_ELEMENTS} are the most, so split it`
    )
  }
  const { text: markup, charset: used } = decode(bytes, charset ?? charsetIn(bytes))
  checkNesting(markup, MAX_HTML_NESTING)
  const { document } = parseHTML(whole(markup))
  const title = document.querySelector('title')?.textContent?.replace(/\s+/g, ' ').trim() ?? ''
  const all = htmlText(bodyOf(document))
  const article = isSite(document) ? articleOf(markup, all) : undefined
  return {
    title: title === '' ? undefined : title,
    pages: pagesOf((article ?? all).replaceAll('\f', '\n')),
    details: { charset: used, extraction: article == null ? 'whole' : 'article' }
  }
}

function isSite(document: Document): boolean {
  if (document.querySelector(SITE_MARKS) == null) return false
  let elements = 0
  let depth = 0
  for (let at: Element | null = document.documentElement; at != null; ) {
    if (++elements > MAX_ELEMENTS || depth > MAX_DEPTH) return false
    if (at.firstElementChild != null) {
      at = at.firstElementChild
      depth++
      continue
    }
    while (at != null && at.nextElementSibling == null) {
      at = at.parentElement
      depth--
    }
    at = at?.nextElementSibling ?? null
  }
  return true
}

function articleOf(markup: string, all: string): string | undefined {
  const { document } = parseHTML(whole(markup))
  const article = new Readability<Node>(document, { disableJSONLD: true, serializer: node => node }).parse()
  if (article?.content == null) return undefined
  const text = htmlText(article.content)
  return letters(text) >= LEAST_KEPT * letters(all) ? text : undefined
}

/** A fragment gets what makes it a document; the parser would take its first element for the whole. */
function whole(markup: string): string {
  if (/<html[\s>]/i.test(markup)) return markup
  if (/<body[\s>]/i.test(markup)) return `<html>${markup}</html>`
  return `<html><head></head><body>${markup}</body></html>`
}

/** The parser adds no body where the markup has none. */
function bodyOf(document: Document): Element {
  return document.querySelector('body') ?? document.documentElement
}

function charsetIn(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, CHARSET_WITHIN))
  return /<meta[^>]{1,200}charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(start)?.[1]?.toLowerCase()
}

function letters(text: string): number {
  return text.replace(/\s+/g, '').length
}
