import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { base64url } from 'multiformats/bases/base64'
import { create as createDigest } from 'multiformats/hashes/digest'
import type { Logger } from 'pino'

/** As libp2p takes it, in PEM. */
export interface WebRtcCertificate {
  privateKey: string
  pem: string
  /** multibase of the multihash of the certificate: its name in a multiaddr */
  certhash: string
}

const FILE = 'webrtc-certificate.pem'
const DAY = 24 * 60 * 60_000
/** Peers compare its hash, not its dates; the dates only make sure that a key isn't used for ever. */
const VALID_FOR = 365 * DAY
const RENEW_BEFORE = 30 * DAY
const SHA2_256 = 0x12

/**
 * The certificate of webrtc-direct, whose hash is part of this peer's address: kept in the data directory, so that the
 * address stays what others remember. It says nothing of who this peer is; Noise does that, over the connection.
 */
export async function loadCertificate(dataDir: string, log: Logger): Promise<WebRtcCertificate> {
  const file = join(dataDir, FILE)
  const kept = await readFile(file, 'utf8').then(parse, () => undefined)
  if (kept != null) return kept
  const text = await generate()
  const draft = `${file}.${process.pid}`
  try {
    await writeFile(draft, text, { mode: 0o600 })
    await rename(draft, file)
  } catch (err) {
    log.warn({ err }, 'the WebRTC certificate could not be kept; the next start has another address')
  }
  const made = parse(text)
  if (made == null) throw new Error('the certificate that was just made can not be read')
  return made
}

/** @returns undefined for what is no certificate of ours, or soon expires */
function parse(text: string): WebRtcCertificate | undefined {
  const privateKey = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text)?.[0]
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0]
  if (privateKey == null || pem == null) return undefined
  try {
    const certificate = new X509Certificate(pem)
    if (!certificate.checkPrivateKey(createPrivateKey(privateKey))) return undefined
    if (certificate.validToDate.getTime() - RENEW_BEFORE < Date.now()) return undefined
    const digest = createDigest(SHA2_256, createHash('sha256').update(certificate.raw).digest())
    return { privateKey, pem, certhash: base64url.encode(digest.bytes) }
  } catch {
    return undefined
  }
}

async function generate(): Promise<string> {
  // Two hundred modules, for what is made once a year.
  await import('reflect-metadata')
  const { X509CertificateGenerator } = await import('@peculiar/x509')
  // P-256 is what browsers and the other implementations of libp2p all take.
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=hedgerow',
      // An hour back: clocks are not trusted.
      notBefore: new Date(Date.now() - DAY / 24),
      notAfter: new Date(Date.now() + VALID_FOR),
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' }
    },
    // libp2p's WebRTC gives the package another implementation, which knows no keys of this one.
    crypto
  )
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return [
    '-----BEGIN PRIVATE KEY-----',
    ...(key.match(/.{1,64}/g) ?? []),
    '-----END PRIVATE KEY-----',
    certificate.toString('pem'),
    ''
  ].join('\n')
}
