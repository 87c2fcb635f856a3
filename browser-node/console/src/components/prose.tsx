import { useEffect, useState } from 'preact/hooks'
import type { ProseReader } from './prose/read.tsx'

/** Loaded when the first prose is there. */
let reader: Promise<ProseReader> | undefined

/** Text that may be Markdown, as models and manuals write it. Until its reader is there, the text as it is. */
export function Prose({ text }: { text: string }) {
  const [read, setRead] = useState<{ it: ProseReader }>()
  useEffect(() => {
    reader ??= import('./prose/read.tsx').then(({ readProse }) => readProse)
    let gone = false
    reader.then(
      it => !gone && setRead({ it }),
      () => {
        // the text as it is stays
        reader = undefined
      }
    )
    return () => {
      gone = true
    }
  }, [])
  return read == null ? <p class="plain-prose">{text}</p> : <div class="prose">{read.it(text)}</div>
}
