/**
 * A letter's HTML as a tree of a few harmless elements without any attribute. It is built by allowing what a letter
 * needs, not by taking out what could do harm, and is shown by creating elements: nothing of it is ever put in as HTML.
 */
export type LetterNode = string | { tag: LetterTag; children: LetterNode[] }

const TAGS = [
  'article',
  'section',
  'header',
  'footer',
  'h1',
  'h2',
  'h3',
  'h4',
  'p',
  'br',
  'hr',
  'ul',
  'ol',
  'li',
  'strong',
  'em',
  'b',
  'i',
  'mark',
  'blockquote',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
  'dl',
  'dt',
  'dd'
] as const
export type LetterTag = (typeof TAGS)[number]

/** With all they hold: what is in them is no text of the letter. */
const DROPPED = new Set(['script', 'style', 'template', 'iframe', 'object', 'embed', 'svg', 'math', 'head', 'noscript'])
const MAX_DEPTH = 24

/** What is read of a DOM node, so that a test needs no browser. */
export interface SourceNode {
  nodeType: number
  nodeName: string
  nodeValue: string | null
  childNodes: ArrayLike<SourceNode>
}

const ELEMENT = 1
const TEXT = 3

export function letterTree(node: SourceNode, depth = 0): LetterNode[] {
  if (node.nodeType === TEXT) return [node.nodeValue ?? '']
  const tag = node.nodeName.toLowerCase()
  if (DROPPED.has(tag) || depth > MAX_DEPTH) return []
  const children = Array.from(node.childNodes).flatMap(child => letterTree(child, depth + 1))
  // An element that isn't known loses itself, not its text.
  return node.nodeType === ELEMENT && isLetterTag(tag) ? [{ tag, children }] : children
}

function isLetterTag(tag: string): tag is LetterTag {
  return (TAGS as readonly string[]).includes(tag)
}
