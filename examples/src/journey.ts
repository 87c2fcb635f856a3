/**
 * One case through a mesh: a scanned letter becomes text, its text entities; a manual is indexed and asked; the
 * adviser's notes become a draft letter. Each step is one HTTP request to whichever peer is asked.
 */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const DATA = new URL('../data/', import.meta.url)
const COLLECTION = 'demo-manual'
/** characters of a passage: all of it */
const WHOLE_PASSAGE = 1000
/** lines of a letter: to where its contents begin */
const EXCERPT_LINES = 24

export interface Step {
  title: string
  service: string
  /** peer id of who did it */
  worker: string
  path: string
  attempts: number
  milliseconds: number
  requestId: string
  /** one line for people */
  result: string
  /** how a text begins that was made, if one was */
  excerpt?: string
  /** the answer */
  body: unknown
}

interface Entity {
  type: string
  text: string
}
interface Passage {
  text: string
  score: number
  document_id: string
}

/** @throws {Error} when a step is answered with an error */
export async function* journey(mesh: string): AsyncGenerator<Step> {
  const scan = await call<{ text: string; pages: Array<{ source: string }> }>(
    mesh,
    'document-processing',
    '',
    await file('creditor-letter-scan.pdf'),
    'application/pdf'
  )
  yield step(
    'read the scanned letter',
    scan,
    `${count(scan.body.pages.length, 'page')} by ${scan.body.pages[0]?.source}: ${quote(scan.body.text)}`
  )

  const text = await call<{ text: string; pages: Array<{ source: string }> }>(
    mesh,
    'document-processing',
    '',
    await file('creditor-letter.pdf'),
    'application/pdf'
  )
  yield step(
    'read the same letter as text PDF',
    text,
    `${count(text.body.pages.length, 'page')} by ${text.body.pages[0]?.source}: ${quote(text.body.text)}`
  )

  const entities = await call<{ entities: Entity[] }>(
    mesh,
    'ner-extraction',
    '',
    JSON.stringify({ text: scan.body.text })
  )
  yield step('find who and how much', entities, summary(entities.body.entities))

  let chapters = 0
  let replicas = 0
  let indexed: Answer<{ id: string; replicas: number }> | undefined
  for (const name of (await readdir(fileURLToPath(new URL('manual', DATA))))
    .filter(name => name.endsWith('.md'))
    .sort()) {
    const chapter = String(await file(`manual/${name}`))
    indexed = await call(
      mesh,
      'rag-embeddings',
      `/documents?collection=${COLLECTION}`,
      JSON.stringify({ id: name, text: chapter, collection: COLLECTION, metadata: { chapter: name } })
    )
    replicas = indexed.body.replicas
    chapters++
  }
  if (indexed != null)
    yield step('index the manual', indexed, `${count(chapters, 'chapter')}, each on ${count(replicas, 'worker')}`)

  const question = 'Can the creditor keep adding interest while the client gets advice?'
  const found = await call<{ passages: Passage[] }>(
    mesh,
    'rag-embeddings',
    '',
    JSON.stringify({ query: question, top_k: 3, collection: COLLECTION })
  )
  yield step(
    `ask it: ${question}`,
    found,
    found.body.passages[0] == null
      ? 'nothing found'
      : `${found.body.passages[0].document_id}: ${quote(found.body.passages[0].text, WHOLE_PASSAGE)}`
  )

  for (const register of ['labelled', 'prose']) {
    const notes = String(await file(`adviser-notes-${register}.txt`))
    const letter = await call<{ letter: string; missing: string[]; facts: unknown[] }>(
      mesh,
      'notes-coa',
      '',
      JSON.stringify({ notes })
    )
    yield {
      ...step(
        `draft the letter from ${register} notes`,
        letter,
        `${letter.body.letter.length} characters, ${count(letter.body.facts.length, 'fact')}, ${count(letter.body.missing.length, 'gap')} for the adviser`
      ),
      excerpt: letter.body.letter.split('\n').slice(0, EXCERPT_LINES).join('\n')
    }
  }
}

interface Answer<T> {
  body: T
  service: string
  response: Response
  milliseconds: number
}

async function call<T>(
  mesh: string,
  service: string,
  path: string,
  body: string | Buffer,
  type = 'application/json'
): Promise<Answer<T>> {
  const startedAt = performance.now()
  const response = await fetch(`${mesh}/service/${service}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : new Uint8Array(body)
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${service}${path} answers ${response.status}: ${text}`)
  return { body: JSON.parse(text), service, response, milliseconds: performance.now() - startedAt }
}

function step<T>(title: string, { body, service, response, milliseconds }: Answer<T>, result: string): Step {
  const header = (name: string): string => response.headers.get(name) ?? ''
  return {
    title,
    service,
    body,
    result,
    milliseconds,
    worker: header('hedgerow-worker'),
    path: header('hedgerow-path'),
    attempts: Number(header('hedgerow-attempts')),
    requestId: header('hedgerow-request-id')
  }
}

function file(name: string): Promise<Buffer> {
  return readFile(new URL(name, DATA))
}

function quote(text: string, length = 90): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > length ? `“${line.slice(0, length)}…”` : `“${line}”`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** A few of each kind that a case turns on. */
function summary(entities: readonly Entity[]): string {
  const shown = ['PERSON', 'ORG', 'MONEY', 'DATE', 'ACCOUNT'].flatMap(kind => {
    const texts = new Set(entities.filter(({ type }) => type === kind).map(({ text }) => text))
    return texts.size === 0 ? [] : [`${kind} ${[...texts].slice(0, 3).join(', ')}`]
  })
  return `${entities.length} in all; ${shown.join('; ')}`
}
