import { MeshError } from '@hedgerow/protocols/errors'

const HOW = 'send an API key (Authorization: Bearer, or X-API-Key), a token of the sign-in service, or DPoP'

export function nobody(): MeshError {
  return new MeshError('Unauthorized', `this needs somebody who is known here: ${HOW}`)
}

/** @param error as RFC 6750 and RFC 9449 name it */
export function unauthorized(
  detail: string,
  error: 'invalid_token' | 'invalid_dpop_proof' = 'invalid_token'
): MeshError {
  return new MeshError('Unauthorized', detail, { auth_error: error })
}

export function credentialIsNoToken(): MeshError {
  return unauthorized(
    'a credential proves who a peer is and is no bearer token: send it as `Authorization: DPoP` with a proof by the ' +
      "peer's key (RFC 9449)"
  )
}
