import { CopyButton } from '../components/copy-button.tsx'
import { Scroller } from '../components/scroller.tsx'

export function JsonAnswer({ value }: { value: unknown }) {
  const text = JSON.stringify(value, null, 2)
  return (
    <>
      <Scroller class="raw" label="The answer as JSON">
        {text}
      </Scroller>
      <CopyButton text={text} />
    </>
  )
}
