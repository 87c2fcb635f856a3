/**
 * API keys: `hk_<id>_<secret>`. The prefix lets scanners find keys that leaked, the id says which key it was. The secret
 * is 256 random bits, so one SHA-256 keeps it as safe as a slow hash would: there is no dictionary to try it with.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Rate, Right } from './caller.ts'

/** A key as it is kept: what it may do, and what its secret is known by. */
export interface KeyRecord {
  id: string
  /** whose it is, for people */
  name: string
  /** SHA-256 of the secret, in base64url */
  hash: string
  rights: Right[]
  services: '*' | string[]
  /** ISO times */
  created: string
  expires?: string
  revoked?: string
  rate?: Rate
}

const ID_BYTES = 6
const SECRET_BYTES = 32
const PATTERN = /^hk_([0-9a-f]{12})_([\w-]{43})$/
const PREFIX = 'hk_'

export interface NewKey {
  /** what its holder sends; it is nowhere else */
  text: string
  id: string
  hash: string
}

export function newKey(): NewKey {
  const id = randomBytes(ID_BYTES).toString('hex')
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  return { text: `${PREFIX}${id}_${secret}`, id, hash: hashOf(secret).toString('base64url') }
}

/** Whether this is meant to be a key, good or not. */
export function looksLikeKey(text: string): boolean {
  return text.startsWith(PREFIX)
}

export function parseKey(text: string): { id: string; secret: string } | undefined {
  const [, id, secret] = PATTERN.exec(text) ?? []
  return id == null || secret == null ? undefined : { id, secret }
}

export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** In constant time. */
export function isSecretOf(secret: string, hash: Buffer): boolean {
  const own = hashOf(secret)
  return own.byteLength === hash.byteLength && timingSafeEqual(own, hash)
}
