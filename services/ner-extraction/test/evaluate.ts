/**
 * Prints precision, recall and F1 by register and type, and the speed:
 *
 *     node --conditions=hedgerow-source test/evaluate.ts [held-out|dev] [--errors]
 */
import { parseArgs } from 'node:util'
import { Extractor } from '../src/extract.ts'
import { type LabelSet, labelledTexts, listedOrNot, Scores } from './evaluation.ts'

const SETS: LabelSet[] = ['held-out', 'dev']
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
/** entities found and labelled, by type and by whether the lists have them */
const recall = new Map<string, [number, number]>()
for (const labelled of texts) {
  const { missed, wrong } = scores.add(labelled, extractor.extract(labelled.text))
  for (const label of labelled.labels.filter(({ optional }) => !optional)) {
    const key = listedOrNot(label.type, labelled.text.slice(label.start, label.end))
    if (key == null) continue
    const [right, all] = recall.get(key) ?? [0, 0]
    recall.set(key, [right + (missed.includes(label) ? 0 : 1), all + 1])
  }
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

console.log('\nRecall by whether the lists have the name:')
for (const [key, [right, all]] of [...recall].sort()) console.log(`- ${key}: ${right} of ${all}`)

const ROUNDS = 10
for (const { text } of texts) extractor.extract(text)
const before = process.cpuUsage()
for (let round = 0; round < ROUNDS; round++) for (const { text } of texts) extractor.extract(text)
const { user, system } = process.cpuUsage(before)
console.log(`\n${Math.round((ROUNDS * texts.length * 1e6) / (user + system))} texts a second of processor time`)
