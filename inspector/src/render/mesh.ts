import type { InitReport } from '../commands/mesh/init.ts'
import type { InviteReport } from '../commands/mesh/invite.ts'
import type { RevokeReport } from '../commands/mesh/revoke.ts'
import type { Said, ShowReport } from '../commands/mesh/show.ts'
import type { SignReport } from '../commands/mesh/sign.ts'
import type { MeshPlace } from '../source/index.ts'
import { count, duration, shortId } from './format.ts'
import { printable, type Style } from './style.ts'

export function renderInit(report: InitReport, { paint }: Style): string {
  const { mesh, authority, dir, key_file, mesh_file, encrypted } = report
  return `the mesh ${paint('bold', mesh)} has an authority
  key        ${key_file}${encrypted ? '' : paint('yellow', '  (without a passphrase)')}
  mesh file  ${mesh_file}
  public key ${authority}

Keep the key offline, and a copy of it elsewhere: who has it (and its passphrase) can let anybody in, and when it is
lost nobody can make relays any more. The mesh file may be shown to anybody.

Next, a relay: start one, and sign it with the peer id that its log shows
  hedgerow mesh sign <peer id> --dir ${dir} --role relay,issuer --days 90 --out relay.json
and start it again with HEDGEROW_CREDENTIAL=relay.json`
}

export function renderSign({ peer_id, mesh, roles, services, classes, expires_at }: SignReport, out?: string): string {
  return `${peer_id} is ${rolesOf(roles)} of ${mesh} until ${day(expires_at)}
  services ${services.join(', ')}   classes ${classes.join(', ') || 'none'}${
    out == null
      ? ''
      : `
It is in ${out}: give that file to the peer as HEDGEROW_CREDENTIAL, or put it in its data directory as membership.json.`
  }`
}

export function renderInvite(report: InviteReport, { paint }: Style, qr: string | undefined): string {
  const { invite, roles, services, classes, uses, expires_at, issuer, relays, warnings } = report
  return [
    invite,
    // Dark on light whatever the terminal's own colours are: not every camera reads it the other way round.
    ...(qr?.split('\n').map(line => paint(['black', 'bgWhiteBright'], line)) ?? []),
    '',
    `lets in ${count(uses, 'peer')} as ${rolesOf(roles)}: services ${services.join(', ')}, classes ${classes.join(', ') || 'none'}`,
    `until ${day(expires_at)}, at ${relays.join(', ')} (${shortId(issuer)} redeems it)`,
    ...warnings.map(warning => paint('yellow', warning)),
    '',
    'On the new machine:',
    '  HEDGEROW_INVITE=<the string above> hedgerow-daemon'
  ].join('\n')
}

export function renderRevoke({ peer_id, invite_id, mesh, issuer, sent_to }: RevokeReport, out?: string): string {
  const by = issuer === 'authority' ? 'all that it was given' : `what ${shortId(issuer)} gave it`
  const where = [
    ...sent_to.map(url => `${url} has it and tells the others`),
    ...(out == null ? [] : [`it is in ${out}`])
  ]
  if (peer_id == null)
    return `the invite ${invite_id} to ${mesh} is taken back: it lets nobody in any more; who came by it stays\n  ${where.join('\n  ')}`
  return `${peer_id} is taken out of ${mesh}: ${by} until now\n  ${where.join('\n  ')}`
}

const KINDS: Record<ShowReport['kind'], string> = {
  mesh: 'a mesh file: which mesh this is, for anybody to see',
  membership: 'a membership file: the credential of a peer, with the mesh that it is for',
  credential: 'a credential: what a peer shows others',
  invite: 'an invite: whoever brings it is let in',
  revocation: 'a revocation: takes back what a peer was given until it was made'
}

export function renderShow(report: ShowReport, style: Style): string {
  const { paint, now } = style
  const { kind, mesh, authority, chain, invite, good, reason } = report
  const lines = [KINDS[kind], `  mesh       ${printable(mesh)}`]
  if (authority != null) lines.push(`  authority  ${authority}`)
  for (const said of chain) lines.push(...saidLines(said, kind, now))
  if (invite != null)
    lines.push(
      `  redeemed   by ${invite.issuer}`,
      `             at ${invite.relays.map(printable).join(', ') || 'no address'}`,
      `  lets in    ${count(invite.uses, 'peer')}, each for ${duration(invite.lasts_seconds)}`
    )
  const word =
    good == null ? paint('yellow', 'not checked') : good ? paint('green', 'it is good') : paint('red', 'it is NOT good')
  const caveat = good === true && kind !== 'mesh' ? ' (what was revoked, or used up, only the mesh knows)' : ''
  lines.push(`${word}${reason == null ? '' : `: ${printable(reason)}`}${caveat}`)
  return lines.join('\n')
}

function saidLines(said: Said, kind: ShowReport['kind'], now: number): string[] {
  const { issuer, subject, roles, services, classes, issued_at, expires_at } = said
  const lines = ['']
  if (subject != null)
    lines.push(`  ${kind === 'revocation' && roles == null ? 'taken out' : 'peer     '}  ${printable(subject)}`)
  if (roles != null) lines.push(`  roles      ${roles.map(printable).join(', ') || 'none'}`)
  if (services != null) lines.push(`  services   ${services.map(printable).join(', ') || 'none'}`)
  if (classes != null) lines.push(`  classes    ${classes.map(printable).join(', ') || 'none'}`)
  lines.push(`  signed by  ${issuer === 'authority' ? 'the authority' : printable(issuer)}`)
  if (issued_at != null) lines.push(`  since      ${day(issued_at)}`)
  lines.push(`  until      ${day(expires_at)} ${distance(expires_at, now)}`)
  return lines
}

function distance(iso: string, now: number): string {
  const left = (Date.parse(iso) - now) / 1000
  if (Number.isNaN(left)) return ''
  return left < 0 ? `(${duration(-left)} ago)` : `(in ${duration(left)})`
}

/** As in `2026-03-01 12:00 UTC` */
function day(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}

function rolesOf(roles: string[]): string {
  return roles.join(' and ')
}

/** The place in its mesh of the peer that was asked. */
export function renderPlace({ mesh, closed, authority, issuer, credential, counts }: MeshPlace, style: Style): string {
  const { paint, now } = style
  const known = `knows ${count(counts.relays, 'relay')} and ${count(counts.workers, 'worker')}`
  if (!closed)
    return `the mesh ${paint('bold', printable(mesh))} is ${paint('yellow', 'open')}: whoever reaches it is in it; nothing confidential belongs here\n  ${known}`
  const lines = [
    `the mesh ${paint('bold', printable(mesh))} is closed`,
    `  authority  ${printable(authority ?? '')}`,
    `  this peer  ${known}, ${count(counts.revocations, 'revocation')}`
  ]
  if (issuer)
    lines.push(`             lets others in; ${count(counts.redemptions, 'peer')} came by invites that are still good`)
  if (credential == null) return lines.join('\n')
  lines.push(...saidLines(credential, 'credential', now))
  if (credential.renewed) lines.push('             renewed by itself')
  if (credential.warning != null) lines.push(paint('red', printable(credential.warning)))
  return lines.join('\n')
}
