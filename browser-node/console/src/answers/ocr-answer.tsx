import { CopyButton } from '../components/copy-button.tsx'
import { Scroller } from '../components/scroller.tsx'
import { asNumber, asString, type JsonRecord } from '../logic/json.ts'
import { linesOf, pageSizeOf } from '../logic/ocr.ts'
import type { Answer } from '../state/desk.ts'
import { ScanPicture } from './scan-picture.tsx'

/** What was read, beside what it was read from. */
export function OcrAnswer({ answer, value }: { answer: Answer; value: JsonRecord }) {
  const text = asString(value.text) ?? ''
  const confidence = asNumber(value.confidence)
  const file = answer.sent.file
  return (
    <>
      <p>
        {text.trim() === '' ? 'No text was found in it.' : <strong>{words(text)} read</strong>}
        {confidence != null && text.trim() !== '' && `, ${sureness(confidence)}.`}
      </p>
      <div class="side-by-side">
        {file != null && <ScanPicture file={file} lines={linesOf(value, 1)} size={pageSizeOf(value, 1)} />}
        <Scroller class="paper" label="The text that was read">
          {text}
        </Scroller>
      </div>
      <CopyButton text={text} label="Copy the text" />
    </>
  )
}

function words(text: string): string {
  const n = text.split(/\s+/).filter(Boolean).length
  return n === 1 ? '1 word' : `${n} words`
}

function sureness(confidence: number): string {
  const percent = `${Math.round(confidence * 100)} % sure`
  return confidence >= 0.9 ? percent : `only ${percent}: check it against the picture`
}
