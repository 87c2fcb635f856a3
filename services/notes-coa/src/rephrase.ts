import { type Config, phrases } from './config.ts'
import type { Rephrase } from './convert.ts'
import { oneLine, type Piece } from './letter/pieces.ts'
import type { View } from './letter/view.ts'
import type { Warning } from './letter/warnings.ts'
import type { Lexicon } from './lexicon.ts'
import { keepsFacts } from './rewrite.ts'

/** Quotations that are sent to the model for one letter; the rest stay as they are. */
const MAX_PARAGRAPHS = 16
/** Requests to the model at a time, for one letter. */
const AT_ONCE = 2
/** No model can be asked; the message says why. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** The paragraphs of a letter that are free text. */
function paragraphs(view: View): Piece[] {
  const remarks = view.options.flatMap(option => option.remarks)
  const decision = view.decision == null ? [] : [view.decision.remark]
  return [...view.problem, ...view.circumstances, ...remarks, ...decision, ...view.reasons]
}

/** Quotation marks belong to quotations; a rewrite is none. */
function bare(text: string): string {
  return oneLine(text).replace(/^["“']+|["”']+$/g, '')
}

/**
 * Has `llm-inference` reword the free text of a letter. A rewrite that changes an amount, a date or a name is refused;
 * without a model the letter is made without. Either is said in the warnings.
 */
export function rephraser(ask: (paragraph: string) => Promise<string>, lexicon: Lexicon, config: Config): Rephrase {
  return async view => {
    const pieces = paragraphs(view).slice(0, MAX_PARAGRAPHS)
    const queue = [...pieces]
    const warnings: Warning[] = []
    let refused = 0
    let unavailable: string | undefined
    const work = async (): Promise<void> => {
      for (let piece = queue.shift(); piece != null && unavailable == null; piece = queue.shift()) {
        const original = bare(piece.text)
        try {
          const rewrite = bare(await ask(original))
          if (keepsFacts(original, rewrite, lexicon, phrases(config.letter.rephrase_starters)))
            Object.assign(piece, { text: rewrite, from: 'model' })
          else refused += 1
        } catch (err) {
          if (!(err instanceof Unavailable)) throw err
          unavailable ??= err.message
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    if (unavailable != null)
      warnings.push({
        code: 'RephraseUnavailable',
        detail: `the letter quotes the notes where it could not be reworded (${unavailable})`
      })
    if (refused > 0)
      warnings.push({
        code: 'RephraseRefused',
        detail: `${refused} of ${pieces.length} rewrites changed an amount, a date or a name; the notes' own words were kept`
      })
    return warnings
  }
}
