import { ServiceError } from '@hedgerow/service-kit'
import qrcode from 'qrcode'
import { Type } from 'typebox'

/** pixels of white that readers need on each side, in modules */
const MARGIN = 4
/** what the largest code holds at the least error correction */
const MAX_BYTES = 2_953

export const QrBody = Type.Object({
  text: Type.String({ minLength: 1, maxLength: MAX_BYTES }),
  size: Type.Optional(Type.Integer({ minimum: 64, maximum: 2_048, default: 300, description: 'pixels, each way' })),
  error_correction: Type.Optional(
    Type.Enum(['L', 'M', 'Q', 'H'], { default: 'M', description: 'how much of it may be lost: 7, 15, 25 or 30 %' })
  )
})

/**
 * A QR code as PNG.
 *
 * @throws {ServiceError} 422
 */
export async function qrPng(text: string, size = 300, level: 'L' | 'M' | 'Q' | 'H' = 'M'): Promise<Buffer> {
  const code = create(text, level)
  const smallest = code.modules.size + 2 * MARGIN
  if (size < smallest) {
    throw new ServiceError(422, 'SizeTooSmall', `a code with this text needs ${smallest} pixels at least`, { smallest })
  }
  return qrcode.toBuffer(text, { width: size, margin: MARGIN, errorCorrectionLevel: level, type: 'png' })
}

function create(text: string, level: 'L' | 'M' | 'Q' | 'H'): qrcode.QRCode {
  try {
    return qrcode.create(text, { errorCorrectionLevel: level })
  } catch (err) {
    throw new ServiceError(
      422,
      'TextTooLong',
      `no QR code holds this text at error correction ${level}; ${MAX_BYTES} bytes fit at L`,
      {},
      err
    )
  }
}
