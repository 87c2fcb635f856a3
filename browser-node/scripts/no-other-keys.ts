/**
 * In place of the parts of js-libp2p for RSA, ECDSA and secp256k1 keys, which no peer of a mesh has (ours are Ed25519):
 * 10 kB that every page would load. A peer with such a key can't be verified here, and so isn't believed.
 */
const unsupported = (): never => {
  throw new Error('pages know Ed25519 keys only')
}

export const secp256k1 = new Proxy({}, { get: unsupported })

// Of rsa/utils.js and ecdsa/utils.js.
export {
  unsupported as generateECDSAKeyPair,
  unsupported as generateRSAKeyPair,
  unsupported as jwkToRSAPrivateKey,
  unsupported as pkcs1MessageToRSAPrivateKey,
  unsupported as pkcs1ToRSAPrivateKey,
  unsupported as pkiMessageToECDSAPrivateKey,
  unsupported as pkiMessageToECDSAPublicKey,
  unsupported as pkixMessageToRSAPublicKey,
  unsupported as pkixToRSAPublicKey,
  unsupported as privateKeyToPKIMessage,
  unsupported as publicKeyToPKIMessage,
  unsupported as unmarshalECDSAPrivateKey,
  unsupported as unmarshalECDSAPublicKey
}
