import { Download } from 'lucide-preact'
import { size } from '../logic/words.ts'
import { useObjectUrl } from './object-url.ts'

export function FileAnswer({ blob, name }: { blob: Blob; name: string }) {
  const url = useObjectUrl(blob)
  if (url == null) return null
  return (
    <div class="file-answer">
      {/^image\/(png|jpeg|gif|webp)$/.test(blob.type) && <img src={url} alt="What was made" />}
      <a href={url} download={name} class="button-link">
        <Download size={16} aria-hidden="true" /> Save ({size(blob.size)})
      </a>
    </div>
  )
}
