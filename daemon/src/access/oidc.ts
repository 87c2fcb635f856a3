/**
 * Bearer tokens of an OIDC issuer (OpenID Connect Discovery 1.0): signed JWTs for our audience. An issuer that can't be
 * asked makes nobody known: 503, never open.
 */
import { MeshError } from '@hedgerow/protocols/errors'
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify, type RemoteJWKSet } from 'jose'
import type { Caller, Right } from './caller.ts'
import * as constants from './constants.ts'
import { withImplied } from './key-store.ts'
import { unauthorized } from './refusals.ts'

export interface OidcInit {
  /** its URL, as its tokens name it */
  issuer: string
  /** what tokens for this mesh are issued for */
  audience: string
  /** what its people may do, by what their tokens say. @default everybody may `call` */
  grants?: readonly Grant[]
}

/** A right for those whose claim has, or contains, a value; for all of the issuer's when none is named. */
export interface Grant {
  right: Right
  claim?: string
  value?: string
}

export interface Oidc {
  /** @throws {MeshError} Unauthorized, or IssuerUnavailable */
  check(token: string): Promise<Caller>
}

/** Signatures by a key that only the issuer has: no `none`, and no HMAC, whose key would be a public one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

export function createOidc({ issuer, audience, grants = [{ right: 'call' }] }: OidcInit): Oidc {
  const ask = guardedFetch()
  let keys: RemoteJWKSet | undefined
  let discovering: Promise<RemoteJWKSet> | undefined

  const keySet = async (): Promise<RemoteJWKSet> => {
    if (keys != null) return keys
    discovering ??= discover(issuer, ask).finally(() => {
      discovering = undefined
    })
    keys = await discovering
    return keys
  }

  return {
    async check(token) {
      try {
        const { payload } = await jwtVerify(token, await keySet(), {
          issuer,
          audience,
          algorithms: ALGORITHMS,
          clockTolerance: constants.OIDC_LEEWAY / 1000,
          requiredClaims: ['exp', 'sub']
        })
        const rights = withImplied(grants.filter(grant => fits(grant, payload)).map(({ right }) => right))
        return { kind: 'oidc', id: `${issuer}|${payload.sub}`, services: '*', rights, rate: constants.OIDC_RATE }
      } catch (err) {
        throw refusal(err, issuer, audience)
      }
    }
  }
}

function fits({ claim, value }: Grant, payload: JWTPayload): boolean {
  if (claim == null) return true
  // Names of claims may be URLs, but not paths into claims.
  const said = Object.hasOwn(payload, claim) ? payload[claim] : undefined
  if (Array.isArray(said)) return said.includes(value)
  return typeof said === 'string' && (said === value || (claim === 'scope' && said.split(' ').includes(value ?? '')))
}

type Ask = (url: string, options?: RequestInit) => Promise<Response>

async function discover(issuer: string, ask: Ask): Promise<RemoteJWKSet> {
  const response = await ask(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const said: unknown = await response.json().catch(() => undefined)
  if (!isConfiguration(said) || said.issuer !== issuer)
    throw new IssuerError(`${issuer} does not describe itself as an OIDC issuer of this name`)
  const url = URL.parse(said.jwks_uri)
  // Keys fetched in clear could be anybody's; an issuer on this machine for trying out is its own affair.
  if (url == null || !(url.protocol === 'https:' || issuer.startsWith('http:')))
    throw new IssuerError(`${issuer} keeps its keys at ${said.jwks_uri.slice(0, 100)}, which is not https`)
  return createRemoteJWKSet(url, {
    timeoutDuration: constants.ISSUER_TIMEOUT,
    cooldownDuration: constants.JWKS_COOL_DOWN,
    cacheMaxAge: constants.JWKS_MAX_AGE,
    [customFetch]: ask
  })
}

function isConfiguration(said: unknown): said is { issuer: string; jwks_uri: string } {
  return (
    typeof said === 'object' &&
    said != null &&
    'issuer' in said &&
    typeof said.issuer === 'string' &&
    'jwks_uri' in said &&
    typeof said.jwks_uri === 'string'
  )
}

class IssuerError extends Error {
  override readonly name = 'IssuerError'
}

/** Bounded in time and size, and not asked again right after it failed: whoever sends tokens could make it be asked. */
function guardedFetch(): Ask {
  let restUntil = 0
  return async (url, options = {}) => {
    if (performance.now() < restUntil) throw new IssuerError('the issuer did not answer a moment ago')
    try {
      const signal = AbortSignal.timeout(constants.ISSUER_TIMEOUT)
      const response = await fetch(url, {
        ...options,
        redirect: 'error',
        signal: options.signal == null ? signal : AbortSignal.any([signal, options.signal])
      })
      if (response.status !== 200) throw new IssuerError(`${url} answers ${response.status}`)
      return new Response(await bounded(response), { status: 200, headers: { 'content-type': 'application/json' } })
    } catch (err) {
      restUntil = performance.now() + constants.ISSUER_COOL_DOWN
      throw err instanceof IssuerError ? err : new IssuerError(`${url} can't be asked`, { cause: err })
    }
  }
}

async function bounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > constants.MAX_ISSUER_ANSWER) throw new IssuerError('the issuer answers more than anybody needs')
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function refusal(err: unknown, issuer: string, audience: string): MeshError {
  if (err instanceof errors.JWTExpired) return unauthorized('this token has expired; sign in again')
  if (err instanceof errors.JWTClaimValidationFailed) {
    const wrong: Record<string, string> = {
      iss: `this token is not of ${issuer}`,
      aud: `this token was not issued for ${audience}`,
      nbf: 'this token is not good yet'
    }
    return unauthorized(wrong[err.claim] ?? `the ${err.claim} of this token is not what it should be`)
  }
  if (err instanceof errors.JOSEAlgNotAllowed) return unauthorized('this token is signed in a way that is not taken')
  if (err instanceof errors.JWKSNoMatchingKey)
    return unauthorized('this token is signed by a key that its issuer does not have')
  if (err instanceof errors.JWKSMultipleMatchingKeys)
    return unauthorized('this token does not say by which key it is signed')
  if (err instanceof errors.JWSSignatureVerificationFailed) return unauthorized('the signature of this token is wrong')
  if (err instanceof errors.JWSInvalid || err instanceof errors.JWTInvalid || err instanceof errors.JOSENotSupported)
    return unauthorized('this is neither a key nor a token that is known here')
  return new MeshError(
    'IssuerUnavailable',
    'the service that signs people in can not be asked now; come back in a moment',
    { retry_after: constants.ISSUER_COOL_DOWN / 1000, retry_safe: true },
    { cause: err }
  )
}
