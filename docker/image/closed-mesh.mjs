/**
 * Makes a closed mesh around the relay whose data directory is here, before that relay starts: an authority, the relay's
 * credential, and an invite for the workers beside it. For a mesh on one host (compose.mesh.yaml), whose authority lies on
 * that host and has no passphrase; one that others rely on has its authority made elsewhere (docs/trust.md).
 *
 *     node closed-mesh.mjs <authority's folder> <file for the invite> <the relay's URL>
 *
 * What is there is kept. The invite is made anew at each run, and the relay's credential when little is left of it.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadIdentity, peerIdOf } from '@hedgerow/daemon/identity'

const NAME = process.env.HEDGEROW_MESH || 'hedgerow'
const DAYS = 365
const RENEW_BELOW_DAYS = 90
const DAY = 86_400

const [authority, inviteFile, url] = process.argv.slice(2)
const dataDir = process.env.HEDGEROW_DATA_DIR
if (authority == null || inviteFile == null || url == null || dataDir == null) {
  console.error('closed-mesh: name the folder of the authority, the file for the invite and the URL of the relay')
  process.exit(2)
}
const membership = join(dataDir, 'membership.json')
const hedgerow = (...args) =>
  execFileSync('hedgerow', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()

if (!existsSync(join(authority, 'mesh.json'))) hedgerow('mesh', 'init', NAME, '--dir', authority, '--no-passphrase')
if (daysLeft(membership) < RENEW_BELOW_DAYS) {
  const peerId = peerIdOf(await loadIdentity(dataDir))
  const rights = ['--role', 'relay,issuer', '--services', '*', '--days', String(DAYS)]
  hedgerow('mesh', 'sign', peerId, '--dir', authority, ...rights, '--out', membership)
}
if (!existsSync(join(dataDir, 'keys.json')))
  console.log(hedgerow('key', 'create', 'owner', '--rights', 'admin', '--data-dir', dataDir))
const invite = hedgerow('mesh', 'invite', '--data-dir', dataDir, '--relay', url, '--services', '*', '--uses', '100')
writeFileSync(inviteFile, invite, { mode: 0o600 })
console.log(`the mesh is closed; its authority is in ${authority}, and ${inviteFile} lets workers in`)

function daysLeft(file) {
  if (!existsSync(file)) return 0
  const [, claims = ''] = JSON.parse(readFileSync(file, 'utf8')).credential.split('.')
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  return (exp - Date.now() / 1000) / DAY
}
