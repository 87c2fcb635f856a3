/** Who of the mesh may ask for what of a peer's API: the connection has proven who asks, the credential says what it is. */
import type { IncomingMessage } from 'node:http'
import { MeshError } from '@hedgerow/protocols/errors'
import type { Member } from '@hedgerow/protocols/membership'
import type { onRequestAsyncHookHandler } from 'fastify'
import { needOf } from '../access/index.ts'

/**
 * Of what needs the right `read`, what clients ask for too: the `hedgerow` command and pages. The rest tells of other
 * peers' connections, or makes this one walk the DHT.
 */
const CLIENTS_READ = ['/stats', '/events', '/adverts', '/explain/:id', '/api/peers/:peer']

/**
 * The same needs as at the HTTP ports (`access/routes`): every member may `call`, relays and workers `read`, and only who
 * has the role may do what is for admins.
 *
 * @param memberOf undefined for a peer that is no member, or no longer
 * @param mayAsk whether it has not asked too often
 */
export function membersOnly(
  memberOf: (message: IncomingMessage) => Member | undefined,
  mayAsk: (member: Member) => boolean
): onRequestAsyncHookHandler {
  return async ({ raw, routeOptions: { url, config } }) => {
    const need = config?.everybody === true ? 'everybody' : needOf(url)
    const member = memberOf(raw)
    if (member == null) throw new MeshError('Forbidden', 'the mesh is for its members; this peer is none, or no longer')
    // Of services whoever serves them keeps count.
    if (url?.startsWith('/service/') !== true && !mayAsk(member))
      throw new MeshError('RateLimited', 'this is more than a client may ask', { retry_after: 1, retry_safe: true })
    const { roles } = member.credential
    const isClient = roles.every(role => role === 'client')
    if (need === 'everybody' || need === 'call' || roles.includes('admin')) return
    if (need === 'read' && (!isClient || CLIENTS_READ.includes(url ?? ''))) return
    throw new MeshError(
      'Forbidden',
      `this is for peers of the role ${need === 'read' ? 'worker, relay or admin' : 'admin'}, which yours has not`
    )
  }
}
