/** From what a request carries to who sent it. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { Caller } from './caller.ts'
import { checkDpop, type DpopComponents } from './dpop.ts'
import { looksLikeKey } from './key.ts'
import type { KeyStore } from './key-store.ts'
import type { Oidc } from './oidc.ts'
import { credentialIsNoToken, unauthorized } from './refusals.ts'

export interface IdentitiesComponents {
  keys: Pick<KeyStore, 'check'> | undefined
  oidc: (Oidc & { issuer: string }) | undefined
  /** left out where nobody's credentials are known */
  dpop: DpopComponents | undefined
}

/** What credentials say they are in their head. */
const CREDENTIAL = 'hedgerow-credential+jwt'

export class Identities {
  readonly #components: IdentitiesComponents

  constructor(components: IdentitiesComponents) {
    this.#components = components
  }

  /** Whether {@link of} may have to wait for somebody. */
  takesTime({ authorization }: IncomingHttpHeaders): boolean {
    return authorization !== undefined && !authorization.startsWith('Bearer hk_')
  }

  /**
   * Takes what a caller is known by off the request, so that it goes no further: whoever serves it could use it too.
   *
   * @param otherwise who it is if nothing says so. Where that is somebody who may call, what isn't meant for this peer
   * is left alone: it is the service's
   * @throws {MeshError} Unauthorized, IssuerUnavailable; also as a rejection
   */
  of(message: IncomingMessage, otherwise: Caller): Caller | Promise<Caller> {
    const { headers } = message
    const { authorization } = headers
    const key = headers['x-api-key']
    const isServices = otherwise.rights.has('call')
    if (typeof key === 'string' && (looksLikeKey(key) || !isServices)) {
      headers['x-api-key'] = undefined
      return this.#byKey(key)
    }
    if (authorization === undefined) return otherwise
    const space = authorization.indexOf(' ')
    const scheme = authorization.slice(0, space).toLowerCase()
    const token = authorization.slice(space + 1).trim()
    if (scheme === 'dpop') {
      const proof = headers.dpop
      headers.authorization = undefined
      headers.dpop = undefined
      return this.#byProof(message, token, proof)
    }
    if (scheme === 'bearer') {
      const isKey = looksLikeKey(token)
      if (!isKey && isCredential(token)) throw credentialIsNoToken()
      if (isKey || !isServices || this.#isIssuers(token)) {
        headers.authorization = undefined
        return isKey ? this.#byKey(token) : this.#byToken(token)
      }
    }
    if (isServices) return otherwise
    throw unauthorized('Authorization must be Bearer, with a key or a token, or DPoP')
  }

  #byKey(text: string): Caller {
    const found = this.#components.keys?.check(text) ?? 'unknown'
    if (found === 'unknown') throw unauthorized('this API key is not known here')
    if (found === 'revoked') throw unauthorized('this API key was revoked')
    if (found === 'expired') throw unauthorized('this API key has expired')
    return found
  }

  #byToken(token: string): Promise<Caller> {
    const { oidc } = this.#components
    if (oidc == null) throw unauthorized('this is no API key, and tokens of a sign-in service are not taken here')
    return oidc.check(token)
  }

  #byProof(message: IncomingMessage, credential: string, proof: string | string[] | undefined): Promise<Caller> {
    const { dpop } = this.#components
    if (dpop == null) throw unauthorized('credentials are not taken here: this mesh has none')
    // Node joins several of one name, and a proof has no comma.
    if (typeof proof !== 'string' || proof === '')
      throw unauthorized('Authorization: DPoP needs one DPoP header with a proof', 'invalid_dpop_proof')
    return checkDpop(dpop, credential, proof, { method: message.method ?? '', path: message.url ?? '/' })
  }

  /** A token of our issuer's goes nowhere else, even where nobody has to say who they are. */
  #isIssuers(token: string): boolean {
    const { oidc } = this.#components
    if (oidc == null) return false
    try {
      return decodeJwt(token).iss === oidc.issuer
    } catch {
      return false
    }
  }
}

function isCredential(token: string): boolean {
  const [leaf = ''] = token.split('~')
  try {
    return decodeProtectedHeader(leaf).typ === CREDENTIAL
  } catch {
    return false
  }
}
