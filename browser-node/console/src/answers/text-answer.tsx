import { CopyButton } from '../components/copy-button.tsx'
import { Scroller } from '../components/scroller.tsx'

export function TextAnswer({ text }: { text: string }) {
  if (text.trim() === '') return <p class="muted">There is no text in it.</p>
  return (
    <>
      <Scroller class="paper" label="Text">
        {text}
      </Scroller>
      <CopyButton text={text} />
    </>
  )
}
