import { asRecord } from '../logic/json.ts'
import type { Answer, Job } from '../state/desk.ts'
import { DocumentAnswer } from './document-answer.tsx'
import { EntitiesAnswer } from './entities-answer.tsx'
import { FileAnswer } from './file-answer.tsx'
import { JsonAnswer } from './json-answer.tsx'
import { LetterAnswer } from './letter-answer.tsx'
import { OcrAnswer } from './ocr-answer.tsx'
import { PassagesAnswer } from './passages-answer.tsx'
import { TextAnswer } from './text-answer.tsx'

/** The answer in the form that suits it; what isn't known is shown as it is. */
export function AnswerBody({ answer, job: { task, operation } }: { answer: Answer; job: Job }) {
  const { content } = answer
  switch (content.is) {
    case 'nothing':
      return <p>Done. There is nothing more to say.</p>
    case 'text':
      return <TextAnswer text={content.text} />
    case 'file':
      return <FileAnswer blob={content.blob} name={content.name} />
    default:
      return (
        <Known answer={answer} value={content.value} kind={task?.operation === operation.id ? task.answer : 'json'} />
      )
  }
}

function Known({ answer, value, kind }: { answer: Answer; value: unknown; kind: string }) {
  const record = asRecord(value)
  if (kind === 'entities' && Array.isArray(record?.entities)) return <EntitiesAnswer answer={answer} value={value} />
  if (kind === 'letter' && typeof record?.letter === 'string') return <LetterAnswer value={record} />
  if (kind === 'ocr' && typeof record?.text === 'string') return <OcrAnswer answer={answer} value={record} />
  if (kind === 'document' && typeof record?.text === 'string') return <DocumentAnswer value={record} />
  if (kind === 'passages' && Array.isArray(record?.passages)) return <PassagesAnswer value={record} />
  return <JsonAnswer value={value} />
}
