import { Prose } from '../components/prose.tsx'
import { asArray, asNumber, asRecord, asString, type JsonRecord } from '../logic/json.ts'
import { count } from '../logic/words.ts'

export function PassagesAnswer({ value }: { value: JsonRecord }) {
  const passages = asArray(value.passages)
    .map(asRecord)
    .filter(one => one != null)
  if (passages.length === 0)
    return (
      <p>
        No passage fits. Perhaps nobody has added a document to this collection yet: “What else this service can do” has
        a form for it.
      </p>
    )
  return (
    <>
      <p>
        <strong>{count(passages.length, 'passage')}</strong>, the best first.
      </p>
      <ol class="passages">
        {passages.map((passage, i) => (
          <Passage key={i} passage={passage} />
        ))}
      </ol>
    </>
  )
}

function Passage({ passage }: { passage: JsonRecord }) {
  const heading = asString(passage.heading) ?? asString(asRecord(passage.metadata)?.title)
  const score = asNumber(passage.score)
  return (
    <li>
      {heading != null && <h3>{heading}</h3>}
      <Prose text={asString(passage.text) ?? ''} />
      <p class="muted">
        From “{asString(passage.document_id)}”{score != null && `, fits ${fit(score)}`}
      </p>
    </li>
  )
}

function fit(score: number): string {
  return score >= 0.5 ? 'very well' : score >= 0.3 ? 'well' : score >= 0.15 ? 'somewhat' : 'loosely'
}
