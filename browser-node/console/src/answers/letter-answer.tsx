import { type ComponentChildren, h } from 'preact'
import { useMemo } from 'preact/hooks'
import { CopyButton } from '../components/copy-button.tsx'
import { Scroller } from '../components/scroller.tsx'
import { asArray, asRecord, asString, type JsonRecord } from '../logic/json.ts'
import { type LetterNode, letterTree } from '../logic/letter.ts'
import { count } from '../logic/words.ts'

/** The draft as a sheet of paper, and what an adviser has yet to do. */
export function LetterAnswer({ value }: { value: JsonRecord }) {
  const letter = asString(value.letter) ?? ''
  // Parsed apart from the page: scripts don't run there and nothing is fetched.
  const { nodes, text } = useMemo(() => {
    const { body } = new DOMParser().parseFromString(letter, 'text/html')
    return { nodes: letterTree(body), text: plain(body) }
  }, [letter])
  const missing = asArray(value.missing).flatMap(one => asString(one) ?? [])
  const warnings = asArray(value.warnings).flatMap(one => asString(asRecord(one)?.detail) ?? [])
  return (
    <>
      <p class="note">
        <strong>A draft.</strong> An adviser must read, complete and sign it
        {missing.length > 0 && `: ${count(missing.length, 'gap is', 'gaps are')} marked in it`}.
      </p>
      <Scroller class="paper letter" label="The draft letter">
        {nodes.map(show)}
      </Scroller>
      <CopyButton text={text} label="Copy the letter" />
      {warnings.length > 0 && (
        <List title={count(warnings.length, 'thing to check', 'things to check')} items={warnings} />
      )}
      {missing.length > 0 && <List title={`What the adviser must add (${missing.length})`} items={missing} />}
    </>
  )
}

function show(node: LetterNode): ComponentChildren {
  // headings of the letter lie below the page’s own
  return typeof node === 'string' ? node : h(DEMOTED[node.tag] ?? node.tag, null, node.children.map(show))
}

const DEMOTED: Record<string, string> = {
  article: 'div',
  section: 'div',
  header: 'div',
  footer: 'div',
  h1: 'h3',
  h2: 'h4',
  h3: 'h5',
  h4: 'h6'
}

function List({ title, items }: { title: string; items: string[] }) {
  return (
    <details class="quiet">
      <summary>{title}</summary>
      <ul>
        {items.map(item => (
          <li key={item}>{item}</li>
        ))}
      </ul>
    </details>
  )
}

function plain(body: HTMLElement): string {
  for (const br of body.querySelectorAll('br')) br.replaceWith('\n')
  for (const cell of body.querySelectorAll('th,td')) cell.append('\t')
  return (body.textContent ?? '').replace(/\n{3,}/g, '\n\n').trim()
}
