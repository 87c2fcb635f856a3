/**
 * Noise, with less work per message. What goes over the wire is the same; any libp2p peer can be at the other end.
 */
import { createCipheriv, createDecipheriv, createSecretKey, getCiphers, type KeyObject } from 'node:crypto'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { type ICryptoInterface, type NoiseInit, noise } from '@libp2p/noise'
import { asCrypto, defaultCrypto } from '@libp2p/noise/crypto'
import { LengthPrefixedDecoder } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import { NATIVE_CIPHER_FROM } from './constants.ts'

const CIPHER = 'chacha20-poly1305'
const TAG_LENGTH = 16
const LENGTH_LENGTH = 2
const COPIED_BELOW = 16 * 1024

/** A connection encrypter for {@link https://libp2p.github.io/js-libp2p/interfaces/libp2p.index.Libp2pInit.html Libp2pInit}. */
export function encryption(init: NoiseInit = {}): ReturnType<typeof noise> {
  const create = noise({ crypto: getCiphers().includes(CIPHER) ? crypto : defaultCrypto, ...init })
  return components => lighten(create(components))
}

function lighten<E>(encrypter: ConnectionEncrypter<E>): ConnectionEncrypter<E> {
  const { secureInbound, secureOutbound } = encrypter
  encrypter.secureInbound = async (connection, options) => {
    const secured = await secureInbound.call(encrypter, inOneWrite(connection), options)
    lightenDecoder(secured.connection)
    return secured
  }
  encrypter.secureOutbound = async (connection, options) => {
    const secured = await secureOutbound.call(encrypter, inOneWrite(connection), options)
    lightenDecoder(secured.connection)
    return secured
  }
  return encrypter
}

/**
 * Noise sends length and ciphertext as two pieces, and transports send each piece by itself: two system calls and,
 * without Nagle's algorithm, two packets; two messages on a WebSocket. Copying is cheaper.
 */
function inOneWrite(connection: MessageStream): MessageStream {
  const send = connection.send.bind(connection)
  connection.send = data => send(data.subarray())
  return connection
}

const INCOMPLETE = new RangeError('the length of the next message has not arrived yet')

/**
 * After each message the decoder looks for the next one, and learns that there is none from an exception. Making one,
 * with its stack trace, takes longer than decrypting a small message; this throws one that is already made. It reaches
 * into a private field, so it only does so if everything is where it is expected; otherwise it is just slower.
 */
function lightenDecoder(connection: MessageStream): void {
  if (!('decoder' in connection) || !(connection.decoder instanceof LengthPrefixedDecoder)) return
  const decodeLength: unknown = Reflect.get(connection.decoder, 'lengthDecoder')
  if (typeof decodeLength !== 'function') return
  Reflect.set(connection.decoder, 'lengthDecoder', (data: Uint8Array | Uint8ArrayList) => {
    if (data.byteLength < LENGTH_LENGTH) throw INCOMPLETE
    return decodeLength(data)
  })
}

/** Node prepares a key anew for each message unless it is given as an object: 25 µs each. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>()

function keyObject(key: Uint8Array): KeyObject {
  let object = keyObjects.get(key)
  if (object == null) {
    object = createSecretKey(key)
    keyObjects.set(key, object)
  }
  return object
}

const crypto: ICryptoInterface = {
  ...defaultCrypto,

  chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) {
    if (plaintext.byteLength < NATIVE_CIPHER_FROM) return asCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key)
    const cipher = createCipheriv(CIPHER, keyObject(key), nonce, { authTagLength: TAG_LENGTH })
    cipher.setAAD(ad, { plaintextLength: plaintext.byteLength })
    const ciphertext = new Uint8ArrayList()
    for (const piece of pieces(plaintext)) ciphertext.append(cipher.update(piece))
    // a stream cipher has nothing left to say here, but makes the tag
    cipher.final()
    ciphertext.append(cipher.getAuthTag())
    return ciphertext
  },

  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, dst) {
    const length = ciphertext.byteLength - TAG_LENGTH
    if (length < NATIVE_CIPHER_FROM) return asCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, dst)
    const decipher = createDecipheriv(CIPHER, keyObject(key), nonce, { authTagLength: TAG_LENGTH })
    decipher.setAAD(ad, { plaintextLength: length })
    decipher.setAuthTag(ciphertext.subarray(length))
    const plaintext = new Uint8ArrayList()
    for (const piece of pieces(ciphertext, length)) plaintext.append(decipher.update(piece))
    // throws when the tag doesn't match; nobody has seen the plaintext before
    decipher.final()
    return plaintext
  }
}

/** Many small pieces are cheaper to copy together than to go through one by one; a few large ones are not. */
function pieces(data: Uint8Array | Uint8ArrayList, length = data.byteLength): Iterable<Uint8Array> {
  if (data instanceof Uint8Array) return [length === data.byteLength ? data : data.subarray(0, length)]
  return length < COPIED_BELOW ? [data.subarray(0, length)] : data.sublist(0, length)
}
