import type { Mesh } from '@hedgerow/browser-node'
import type { Task } from './index.ts'

/** Apart from what others keep, so that trying an example changes nothing of theirs. */
const COLLECTION = 'sample-manual'
const SERVICE = '/service/rag-embeddings'

export const manuals: Task = {
  service: 'rag-embeddings',
  title: 'Ask the manuals',
  blurb: 'Finds the passages that answer a question, in any words.',
  icon: 'manuals',
  verb: 'Ask',
  operation: 'POST /query',
  main: ['query'],
  hidden: [],
  internal: /^\S+ \/(sync|resources|debug)/,
  labels: { query: 'Your question', top_k: 'How many passages', collection: 'Which collection of documents' },
  answer: 'passages',
  examples: [
    {
      label: 'Can they break my door down?',
      values: { query: 'can they break my door down', collection: COLLECTION },
      prepare: addSamples
    },
    {
      label: 'How long are creditors held off?',
      values: { query: 'how long are creditors held off', collection: COLLECTION },
      prepare: addSamples
    }
  ]
}

/** Adds the sample manual, a page at a time, unless it is there. @throws {Error} */
async function addSamples(mesh: Mesh, signal: AbortSignal): Promise<void> {
  const url = `${SERVICE}/documents?collection=${COLLECTION}`
  const there = await mesh.fetch(`${url}&limit=1`, { signal })
  if (there.ok && JSON.stringify(await there.json()).includes('"id"')) return
  const { pages } = await import('./sample-manual.ts')
  for (const { id, load } of pages) {
    const added = await mesh.fetch(`${url}&id=${id}&source=sample`, {
      method: 'POST',
      headers: { 'content-type': 'text/markdown; charset=utf-8' },
      body: await load(),
      signal
    })
    if (!added.ok) throw new Error(`The sample manual couldn’t be added (${added.status}).`)
  }
}
