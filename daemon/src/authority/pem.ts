/** Ed25519 keys as PKCS#8 in PEM, which every tool for keys reads. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { AuthorityError } from './index.ts'

/** The best that the format has in Node; the key is derived by 2048 rounds of PBKDF2, so the passphrase has to be long. */
const CIPHER = 'aes-256-cbc'

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

export function toPem({ raw, publicKey }: PrivateKey, passphrase: string | undefined): string {
  const jwk = { kty: 'OKP', crv: 'Ed25519', d: base64url(raw.subarray(0, 32)), x: base64url(publicKey.raw) }
  const key = createPrivateKey({ format: 'jwk', key: jwk })
  const form = { type: 'pkcs8', format: 'pem' } as const
  return String(key.export(passphrase == null ? form : { ...form, cipher: CIPHER, passphrase }))
}

export function isEncrypted(pem: string): boolean {
  return pem.includes('BEGIN ENCRYPTED PRIVATE KEY')
}

/** @throws {AuthorityError} passphrase, malformed */
export function fromPem(pem: string, passphrase: string | undefined): PrivateKey {
  let key: KeyObject
  try {
    key = createPrivateKey(passphrase == null ? pem : { key: pem, passphrase })
  } catch (err) {
    throw passphrase == null
      ? new AuthorityError('malformed', "the authority's key can't be read", { cause: err })
      : new AuthorityError('passphrase', "the passphrase is not that of the authority's key", { cause: err })
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new AuthorityError('malformed', `the authority's key must be Ed25519; this is ${key.asymmetricKeyType}`)
  const { d = '', x = '' } = key.export({ format: 'jwk' })
  return privateKeyFromRaw(Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]))
}
