/**
 * The closed mesh that is made on the spot: an authority for this machine, and a credential for each peer. Its key has no
 * passphrase, because nobody is there to type one at each start, and whoever reads the folder reads the peers' own keys
 * as well; a mesh that others rely on has its authority made by `hedgerow mesh init` and kept elsewhere.
 *
 * What needs libp2p is loaded when something is to be signed, which is once in a while.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface ClosedMesh {
  /** Makes sure that the peer whose data directory this is has a credential that lasts. */
  admit(dataDir: string, role: 'relay' | 'worker'): Promise<void>
  /** For one more machine: what HEDGEROW_INVITE is set to. */
  invite(relay: { peerId: string; url: string }): Promise<string>
}

const DAY = 86_400
const TTL = 365 * DAY
/** A credential that ends sooner is signed anew; also one that has ended. */
const RENEW_BEFORE = 30 * DAY
const INVITE = { uses: 10, lasts: 7 * DAY, ttl: 30 * DAY }

const ALL_CLASSES = ['public', 'internal', 'confidential']
/** What an issuer may pass on: `confidential` is the authority's to give. */
const ISSUED_CLASSES = ['public', 'internal']

/** @param dir where the authority lies, or is made */
export async function openClosedMesh(dir: string, name: string): Promise<ClosedMesh> {
  if (!existsSync(join(dir, 'mesh.json'))) {
    const { createAuthority, KEY_FILE } = await loadAuthority()
    // Left by a start that was cut off: nothing was ever signed with it.
    await rm(join(dir, KEY_FILE), { force: true })
    await createAuthority(dir, { name, passphrase: undefined })
  }
  const authority = async () => {
    const { openAuthority } = await loadAuthority()
    return openAuthority(dir, { passphrase: () => Promise.reject(new Error(`${dir}: the key has a passphrase`)) })
  }
  const { mesh } = await readJson(join(dir, 'mesh.json'))

  return {
    async admit(dataDir, role) {
      if (await lasts(join(dataDir, 'membership.json'), mesh)) return
      await mkdir(dataDir, { recursive: true, mode: 0o700 })
      const [{ grant, peerIdOfKey }, { loadIdentity }, { writeMembership }, { privateKey, mesh: id, ...rest }] =
        await Promise.all([
          import('@hedgerow/protocols/membership'),
          import('@hedgerow/daemon/identity'),
          import('@hedgerow/daemon/membership'),
          authority()
        ])
      const subject = peerIdOfKey((await loadIdentity(dataDir)).publicKey.raw)
      const credential = await grant(
        {
          mesh: id,
          subject,
          roles: role === 'relay' ? ['relay', 'issuer'] : ['worker'],
          services: ['*'],
          classes: ALL_CLASSES,
          ttl: TTL
        },
        { privateKey }
      )
      await writeMembership(dataDir, { mesh: id, authority: rest.authority, credential })
    },

    async invite({ peerId, url }) {
      const [{ sealInvite }, { privateKey, mesh: id, authority: key }] = await Promise.all([
        import('@hedgerow/protocols/membership'),
        authority()
      ])
      return sealInvite(
        {
          mesh: id,
          authority: key,
          issuer: peerId,
          relays: [url],
          roles: ['worker'],
          services: ['*'],
          classes: ISSUED_CLASSES,
          uses: INVITE.uses,
          ttl: INVITE.ttl,
          expiresAt: Math.floor(Date.now() / 1000) + INVITE.lasts
        },
        privateKey
      )
    }
  }
}

function loadAuthority() {
  return import('@hedgerow/daemon/authority')
}

/** Whether a peer is a member for a while yet. Its credential is checked by the peer itself. */
async function lasts(file: string, mesh: unknown): Promise<boolean> {
  try {
    const membership = await readJson(file)
    const [, payload = ''] = String(membership.credential).split('.')
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return membership.mesh === mesh && Number(exp) > Date.now() / 1000 + RENEW_BEFORE
  } catch {
    return false
  }
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(file, 'utf8'))
}
