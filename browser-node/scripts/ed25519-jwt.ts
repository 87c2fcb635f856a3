/**
 * In place of `jose` in pages: what `protocols/membership` uses of it, by the Ed25519 that js-libp2p has brought already.
 * It takes EdDSA and nothing else, runs in browsers whose WebCrypto has no Ed25519, and is 5 kB smaller. The tests of
 * membership run against both.
 */
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { fromString } from 'uint8arrays/from-string'

interface Jwk {
  kty: string
  crv: string
  x: string
}

interface Options {
  algorithms: string[]
  typ: string
  /** seconds */
  clockTolerance: number
  currentDate: Date
}

const TOKEN = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** As in jose, as far as it is looked at. */
class JwtError extends Error {
  readonly code: string
  readonly claim: string | undefined

  constructor(code: string, message: string, claim?: string) {
    super(message)
    this.code = code
    this.claim = claim
  }
}

export class SignJWT {
  constructor() {
    throw new Error('pages sign no tokens')
  }
}

export async function importJWK({ kty, crv, x }: Jwk): Promise<Uint8Array> {
  const key = fromString(x, 'base64url')
  if (kty !== 'OKP' || crv !== 'Ed25519' || key.byteLength !== 32) throw new JwtError('ERR_JWK_INVALID', 'not Ed25519')
  return key
}

export async function jwtVerify(
  token: string,
  key: Uint8Array,
  { algorithms, typ, clockTolerance, currentDate }: Options
): Promise<{ payload: Record<string, unknown> }> {
  const [, head = '', body = '', signature = ''] = TOKEN.exec(token) ?? []
  const header = object(head)
  if (typeof header.alg !== 'string' || !algorithms.includes(header.alg) || header.alg !== 'EdDSA')
    throw new JwtError('ERR_JOSE_ALG_NOT_ALLOWED', 'another algorithm')
  if (header.crit != null || header.b64 != null) throw new JwtError('ERR_JOSE_NOT_SUPPORTED', 'an extension')
  const bytes = decode(signature)
  const signed = fromString(`${head}.${body}`)
  if (bytes.byteLength !== 64 || !(await publicKeyFromRaw(key).verify(signed, bytes)))
    throw new JwtError('ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'not signed by this key')
  if (header.typ !== typ) throw new JwtError('ERR_JWT_CLAIM_VALIDATION_FAILED', 'another type', 'typ')
  const payload = object(body)
  const now = Math.floor(currentDate.getTime() / 1000)
  for (const claim of ['iat', 'nbf', 'exp'])
    if (payload[claim] !== undefined && !Number.isFinite(payload[claim]))
      throw new JwtError('ERR_JWT_CLAIM_VALIDATION_FAILED', `${claim} is no number`, claim)
  if (Number(payload.nbf) > now + clockTolerance)
    throw new JwtError('ERR_JWT_CLAIM_VALIDATION_FAILED', 'not valid yet', 'nbf')
  if (Number(payload.exp) <= now - clockTolerance) throw new JwtError('ERR_JWT_EXPIRED', 'expired', 'exp')
  return { payload }
}

function object(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(utf8.decode(decode(part)))
    if (typeof value === 'object' && value != null && !Array.isArray(value)) return { ...value }
  } catch {
    // said below
  }
  throw new JwtError('ERR_JWT_INVALID', 'no token')
}

function decode(text: string): Uint8Array {
  try {
    return fromString(text, 'base64url')
  } catch {
    throw new JwtError('ERR_JWS_INVALID', 'not base64url')
  }
}
