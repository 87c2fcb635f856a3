import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const PAPERS = fileURLToPath(new URL('../../examples/data/', import.meta.url))

/**
 * The sample papers as files of the page, fetched only when somebody tries an example. The scan is there twice: as the
 * PDF that it is, and as the photograph inside, which a browser can show beside the text.
 */
export function examples(folder: string): Plugin {
  return {
    name: 'hedgerow-examples',
    async buildStart() {
      await mkdir(folder, { recursive: true })
      for (const name of ['creditor-letter.pdf', 'creditor-letter-scan.pdf', 'creditor-letter.txt'])
        await copyFile(join(PAPERS, name), join(folder, name))
      await writeFile(
        join(folder, 'creditor-letter.jpg'),
        pictureIn(await readFile(join(PAPERS, 'creditor-letter-scan.pdf')))
      )
    }
  }
}

/** The JPEG that a scanned page consists of lies in the PDF as it is. */
function pictureIn(pdf: Buffer): Buffer {
  const head = pdf.indexOf('/Filter /DCTDecode')
  const length = Number(/\/Length (\d+)/.exec(pdf.toString('latin1', head, head + 200))?.[1])
  const start = pdf.indexOf('stream\n', head) + 'stream\n'.length
  if (head < 0 || !(length > 0)) throw new Error('the sample scan has no JPEG in it')
  return pdf.subarray(start, start + length)
}
