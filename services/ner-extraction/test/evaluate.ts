/**
 * Prints precision, recall and F1 by register and type, and the speed:
 *
 *     node --conditions=hedgerow-source test/evaluate.ts [held-out|fresh|dev] [--errors]
 */
import { parseArgs } from 'node:util'
import { Extractor } from '../src/extract.ts'
import { type LabelSet, labelledTexts, Scores } from './evaluation.ts'

const SETS: LabelSet[] = ['held-out', 'fresh', 'dev']
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { errors: { type: 'boolean', default: false } }
})
const set = SETS.find(name => name === (positionals[0] ?? 'held-out'))
if (set == null) {
  console.error(`${positionals[0]} is no labelled set; there are ${SETS.join(', ')}`)
  process.exit(2)
}

const extractor = new Extractor()
const texts = labelledTexts(set)
const scores = new Scores()
for (const labelled of texts) {
  const { missed, wrong } = scores.add(labelled, extractor.extract(labelled.text))
  if (!values.errors || missed.length + wrong.length === 0) continue
  const show = ({ type, start, end }: { type: string; start: number; end: number }): string =>
    `${type} ${JSON.stringify(labelled.text.slice(start, end))}`
  console.log(`${labelled.register}: ${labelled.text.replace(/\n/g, ' / ')}`)
  if (missed.length > 0) console.log(`  missed ${missed.map(show).join(', ')}`)
  if (wrong.length > 0) console.log(`  wrong  ${wrong.map(show).join(', ')}`)
}

console.log(`${set}: ${texts.length} texts`)
console.log('| | labelled | found | precision | recall | F1 |\n|---|---|---|---|---|---|')
for (const key of scores.keys) {
  const { labelled, found, precision, recall, f1 } = scores.of(key)
  console.log(`| ${key} | ${labelled} | ${found} | ${precision.toFixed(3)} | ${recall.toFixed(3)} | ${f1.toFixed(3)} |`)
}

const started = performance.now()
let processed = 0
while (performance.now() - started < 2000) {
  for (const { text } of texts) extractor.extract(text)
  processed += texts.length
}
console.log(`${Math.round((processed * 1000) / (performance.now() - started))} texts/s`)
