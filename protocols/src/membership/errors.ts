/** Why a credential, an invite or a revocation is not believed. */
export const CREDENTIAL_FAULTS = [
  /** none was shown */
  'Missing',
  /** it isn't one, or is cut, or too large */
  'Malformed',
  /** a signature is not by who must have signed */
  'BadSignature',
  'WrongMesh',
  /** it is another peer's */
  'WrongPeer',
  'Expired',
  'NotYetValid',
  /** its issuer may not issue, or not this much */
  'ExceedsIssuer',
  'Revoked',
  /** it is good, and doesn't give the right that is needed */
  'NotGranted'
] as const

export type CredentialFault = (typeof CREDENTIAL_FAULTS)[number]

export class CredentialError extends Error {
  override readonly name = 'CredentialError'
  readonly fault: CredentialFault

  constructor(fault: CredentialFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}
