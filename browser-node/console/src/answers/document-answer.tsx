import { CopyButton } from '../components/copy-button.tsx'
import { Scroller } from '../components/scroller.tsx'
import { asArray, asNumber, asRecord, asString, type JsonRecord } from '../logic/json.ts'
import { count, size } from '../logic/words.ts'

/** The text page by page. */
export function DocumentAnswer({ value }: { value: JsonRecord }) {
  const text = asString(value.text) ?? ''
  const pages = asArray(value.pages)
    .map(asRecord)
    .filter(one => one != null)
  const metadata = asRecord(value.metadata)
  const bytes = asNumber(metadata?.bytes)
  const title = asString(metadata?.title)
  return (
    <>
      <p>
        <strong>{count(pages.length, 'page')}</strong>
        {title != null && ` of “${title}”`}, {count(text.split(/\s+/).filter(Boolean).length, 'word')}
        {bytes != null && `, from ${size(bytes)}`}.
      </p>
      {pages.map((page, i) => (
        <Page key={i} page={page} of={pages.length} />
      ))}
      <CopyButton text={text} label="Copy the text" />
    </>
  )
}

function Page({ page, of }: { page: JsonRecord; of: number }) {
  const number = asNumber(page.number) ?? 1
  const wasRead = page.source === 'ocr'
  return (
    <section aria-label={`Page ${number}`}>
      {(of > 1 || wasRead) && (
        <h3 class="page-head">
          Page {number}
          {wasRead && <span class="muted"> read from a picture</span>}
        </h3>
      )}
      <Scroller class="paper" label={`Text of page ${number}`}>
        {asString(page.text)}
      </Scroller>
    </section>
  )
}
