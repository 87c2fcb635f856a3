import { toString as draw } from 'qrcode'

/** A QR code of half blocks; undefined where the terminal is too narrow for it, or the text too long. */
export async function qrCode(text: string, columns: number | undefined): Promise<string | undefined> {
  let code: string
  try {
    code = await draw(text, { type: 'utf8', errorCorrectionLevel: 'L', margin: 2 })
  } catch {
    return undefined
  }
  const width = code.indexOf('\n')
  return columns != null && columns < width ? undefined : code.trimEnd()
}
