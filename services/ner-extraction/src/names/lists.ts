import { fold } from '../fold.ts'
import { dataLines, LETTER_WORDS } from '../words.ts'

export interface NameLists {
  given: ReadonlySet<string>
  surname: ReadonlySet<string>
}

const KEPT = new Set(['jan', 'may', 'sam', 'ann', 'lee', 'ali'])

/** A short word of every sentence, which as a name would do more harm than good: `He`, `To`, `An`. */
function isParticle(name: string): boolean {
  return name.length < 4 && LETTER_WORDS.has(name) && !KEPT.has(name)
}

/** Given names and surnames of the many origins that are common in the UK, folded. */
export const NAMES: NameLists = readNames()

function readNames(): NameLists {
  const lists = { given: new Set<string>(), surname: new Set<string>() }
  for (const file of ['names.txt', 'names-faker.txt']) {
    let list = lists.given
    for (const line of dataLines(file)) {
      if (line.startsWith('[')) list = line.startsWith('[given]') ? lists.given : lists.surname
      else {
        for (const name of line.split(/\s+/)) if (!isParticle(fold(name))) list.add(fold(name))
      }
    }
  }
  return lists
}
