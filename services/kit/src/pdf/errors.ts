export type PdfErrorCode = 'CorruptDocument' | 'PasswordProtected' | 'UnsupportedEncryption' | 'DocumentTooComplex'

/** Why a PDF can't be read, in words meant for the one who sent it. */
export class PdfError extends Error {
  override readonly name = 'PdfError'
  readonly code: PdfErrorCode

  constructor(code: PdfErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
