import type { Line } from '../logic/ocr.ts'
import { useObjectUrl } from './object-url.ts'

interface ScanPictureProps {
  file: File
  lines: Line[]
  size: { width: number; height: number } | undefined
}

/** The picture that was sent, with the lines that were read in it. A PDF is shown by the browser, if it can. */
export function ScanPicture({ file, lines, size }: ScanPictureProps) {
  const url = useObjectUrl(file)
  if (url == null) return null
  if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type))
    return (
      <p class="scan-none">
        <a href={url} target="_blank" rel="noreferrer">
          Open {file.name}
        </a>{' '}
        to compare it with the text.
      </p>
    )
  return (
    <figure class="scan">
      <img src={url} alt={`What was read: ${file.name}`} />
      {size != null && (
        <svg viewBox={`0 0 ${size.width} ${size.height}`} preserveAspectRatio="none" aria-hidden="true">
          {lines.map(({ text, x, y, width, height }) => (
            <rect key={`${x} ${y}`} x={x - 4} y={y - 3} width={width + 8} height={height + 6} rx="4">
              <title>{text}</title>
            </rect>
          ))}
        </svg>
      )}
    </figure>
  )
}
