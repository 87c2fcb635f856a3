import { InspectorError } from '../../../errors.ts'
import { joinMesh } from '../../../source/join.ts'
import { clientInvite } from '../../../source/member.ts'
import type { Check, Visit } from '../index.ts'

export const NEEDS_INVITE =
  'ask a maintainer for an invite (hedgerow mesh invite --role client) and name it with --invite or HEDGEROW_INVITE'

export const join: Check = {
  id: 'join',
  title: 'join',
  limit: 11_000,
  needs: ['relay'],
  late: 'the addresses that the relay names (GET /bootstrap) must be reachable from here: set HEDGEROW_URL on it',
  async look(visit, signal) {
    const { url, init, observed, bootstrap } = visit
    const invite = init.invite ?? (await clientInvite(init.env.HEDGEROW_INVITE))
    const credential = init.credential ?? (init.env.HEDGEROW_CREDENTIAL || undefined)
    visit.joining = joinMesh(
      {
        relay: url.href,
        // As a worker does behind a NAT.
        listen: ['/p2p-circuit'],
        onPeer: peer =>
          peer.node.addEventListener('peer:identify', ({ detail: { observedAddr } }) => {
            if (observedAddr != null && observed.size < 16) observed.add(observedAddr.toString())
          }),
        ...(init.mesh == null ? {} : { mesh: init.mesh }),
        ...(invite == null ? {} : { invite }),
        ...(credential == null ? {} : { credential })
      },
      signal
    )
    try {
      const { peer } = await visit.joining
      visit.joined = await visit.joining
      const roles = Array.from(peer.view.peers(), ({ advert }) => advert.role)
      const count = (role: string): number => roles.filter(one => one === role).length
      return {
        state: 'well',
        found: `as a peer of its own; the mesh has ${plural(count('relay'), 'relay')} and ${plural(count('worker'), 'worker')}`
      }
    } catch (err) {
      if (bootstrap?.authority == null || !(err instanceof InspectorError) || err.code !== 'Failed') throw err
      const member = await localMember(visit, signal)
      if (member == null) return { state: 'wrong', found: err.message, fix: NEEDS_INVITE }
      return {
        state: 'none',
        found: `this command is no member of the mesh, and ${member}, which runs here, is; to look as a newcomer: --invite`
      }
    }
  }
}

/** The name of the daemon of this machine, if it is in this very mesh. */
async function localMember({ local, bootstrap }: Visit, signal: AbortSignal): Promise<string | undefined> {
  const place = await local?.mesh(signal).catch(() => undefined)
  return place?.credential != null && place.mesh === bootstrap?.mesh ? local?.via.name : undefined
}

function plural(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? '' : 's'}`
}
