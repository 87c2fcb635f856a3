import { Scroller } from '../components/scroller.tsx'
import { type Entity, entitiesOf, marked, toneOf, typeWords } from '../logic/entities.ts'
import { asString } from '../logic/json.ts'
import { count } from '../logic/words.ts'
import type { Answer } from '../state/desk.ts'

/** The text with what was found marked in it, and the same as a list by kind. */
export function EntitiesAnswer({ answer, value }: { answer: Answer; value: unknown }) {
  const entities = entitiesOf(value)
  const text = asString(answer.sent.values.text) ?? ''
  if (entities.length === 0) return <p>Nothing of the kind was found in this text.</p>
  return (
    <>
      <p>
        <strong>{count(entities.length, 'find')}</strong> in the text.
      </p>
      {text !== '' && (
        <Scroller class="paper" label="Text with what was found">
          {marked(text, entities).map(({ text: words, entity }, i) =>
            entity == null ? (
              words
            ) : (
              <mark key={i} class={`tone-${toneOf(entity.type)}`} title={title(entity)}>
                {words}
                <span class="mark-kind">{typeWords(entity.type)}</span>
              </mark>
            )
          )}
        </Scroller>
      )}
      <dl class="found">
        {byType(entities).map(([type, words]) => (
          <div key={type}>
            <dt>
              <i class={`key tone-${toneOf(type)}`} aria-hidden="true" />
              {typeWords(type, words.length > 1)}
            </dt>
            <dd>{words.join(' · ')}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}

function title({ type, normalized }: Entity): string {
  return normalized == null ? typeWords(type) : `${typeWords(type)}: ${normalized}`
}

function byType(entities: Entity[]): [type: string, words: string[]][] {
  const found = new Map<string, Set<string>>()
  for (const { type, text } of entities) found.set(type, (found.get(type) ?? new Set()).add(text))
  return [...found].map(([type, words]) => [type, [...words]])
}
