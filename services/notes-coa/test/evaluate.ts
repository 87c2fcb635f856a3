/** Prints how well the extractor does: `node --conditions=hedgerow-source test/evaluate.ts [--faults] [set …]`. */
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../src/config.ts'
import { buildLexicon } from '../src/lexicon.ts'
import { addScores, loadNotes, precision, recall, scoreNote } from './score.ts'

const faults = process.argv.includes('--faults')
const named = process.argv.slice(2).filter(arg => !arg.startsWith('--'))
const sets =
  named.length > 0 ? named : ['labelled-dev', 'prose-dev', 'prose-dev-2', 'labelled-held-out', 'prose-held-out']
const config = await loadConfig(fileURLToPath(new URL('../config/letter-2026-11.yaml', import.meta.url)))
const lexicon = buildLexicon(config)
for (const set of sets) {
  const notes = loadNotes(set)
  const results = notes.map(note => ({ id: note.id, ...scoreNote(note, lexicon, config) }))
  console.log(`\n${set} (${notes.length} notes)`)
  if (faults) for (const { id, faults } of results) for (const fault of faults) console.log(`  ${id} ${fault}`)
  for (const [field, count] of addScores(results.map(({ score }) => score))) {
    const { right, wrong, missed } = count
    console.log(
      `  ${field.padEnd(15)} P ${precision(count).toFixed(3)}  R ${recall(count).toFixed(3)}  (${right} right, ${wrong} wrong, ${missed} missed)`
    )
  }
}
