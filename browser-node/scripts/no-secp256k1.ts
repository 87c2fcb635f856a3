/**
 * In place of `@noble/curves/secp256k1.js`, which js-libp2p brings for keys that no peer of a mesh has (ours are
 * Ed25519): 7 kB that every page would load. A peer with such a key can't be verified here, and so isn't believed.
 */
const unsupported = (): never => {
  throw new Error('secp256k1 keys are not supported in pages')
}

export const secp256k1 = new Proxy({}, { get: unsupported })
