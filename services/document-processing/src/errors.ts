/** Why a document can't be read, in words meant for the one who sent it. */
export const STATUS = {
  MediaTypeMismatch: 400,
  MalformedText: 400,
  UnsupportedMediaType: 415,
  CorruptDocument: 422,
  PasswordProtected: 422,
  UnsupportedEncryption: 422,
  DocumentTooComplex: 422,
  TooManyPages: 422,
  TextTooLong: 422,
  PicturesOnly: 422
} as const

export type DocumentErrorCode = keyof typeof STATUS

export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly code: DocumentErrorCode

  constructor(code: DocumentErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
