/**
 * What a peer keeps of its membership in a closed mesh: whom it trusts, its own credential, what was revoked; how it
 * gets the first credential (by invite) and each later one; and, on a peer whose credential says `issuer`, how others
 * get theirs. In an open mesh none of it is needed, and a {@link Membership} says so.
 *
 * In the data directory: `membership.json` (mesh, authority, credential), `revocations.jsonl`, and on issuers
 * `redemptions.jsonl`.
 *
 * @example
 * ```ts
 * const membership = await joinByMembership({ dataDir, privateKey, role, invite, log })
 * membership.addListener(chain => gate.renew())
 * ```
 */
export { type EnrolInit, EnrolmentRefused, enrol } from './enrol.ts'
export {
  formatMembership,
  MEMBERSHIP_FILE,
  type MembershipFile,
  parseMembership,
  readMembership,
  writeMembership
} from './file.ts'
export {
  createIssuer,
  type EnrolCaller,
  type EnrolRequest,
  type Grant,
  type Issuer,
  type IssuerInit
} from './issuer.ts'
export { joinByMembership, type MembershipSettings } from './join.ts'
export { type CredentialStatus, Membership, openMembership } from './membership.ts'
export { RENEWAL_PATH, Renewal, renewalAt } from './renewal.ts'
