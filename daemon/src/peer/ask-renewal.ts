import type { Invoker } from '@hedgerow/protocols/invocation'
import { MAX_CHAIN_LENGTH } from '@hedgerow/protocols/membership'
import type { View } from '@hedgerow/protocols/view'
import { peerIdFromString } from '@libp2p/peer-id'
import { Ajv } from 'ajv'
import { askPeer, learnAddrs } from '../discovery/index.ts'
import { RENEWAL_PATH } from '../membership/index.ts'
import type { Node } from '../node/index.ts'

/** Milliseconds for an answer, a new connection included. */
const TIMEOUT = 15_000
const MAX_BYTES = 64 * 1024

const checkAnswer = new Ajv().compile<{ credential: string }>({
  type: 'object',
  required: ['credential'],
  properties: { credential: { type: 'string', maxLength: MAX_CHAIN_LENGTH } }
})

/** Asks the issuer of a credential for the next one, over the mesh. @throws {Error} with what it answers */
export async function askRenewal(
  { node, view, invoker }: { node: Node; view: View; invoker: Invoker },
  issuer: string,
  chain: string
): Promise<string> {
  if (invoker.route(issuer) == null) {
    await learnAddrs(node, view, issuer)
    // A dial to nowhere would look for it in the DHT, and the one that finds the relay would have to wait for that.
    if (!(await hasAddrs(node, issuer))) throw new Error('no way to its issuer is known yet')
  }
  const { status, body } = await askPeer(invoker, issuer, RENEWAL_PATH, {
    signal: AbortSignal.timeout(TIMEOUT),
    maxBytes: MAX_BYTES,
    json: { credential: chain }
  })
  let answer: unknown
  try {
    answer = JSON.parse(body.toString())
  } catch {
    // said below
  }
  if (status === 200 && checkAnswer(answer)) return answer.credential
  const detail = typeof answer === 'object' && answer != null && 'detail' in answer ? `: ${answer.detail}` : ''
  throw new Error(`its issuer answers ${status}${detail}`)
}

async function hasAddrs(node: Node, peerId: string): Promise<boolean> {
  const known = await node.peerStore.get(peerIdFromString(peerId)).catch(() => undefined)
  return known != null && known.addresses.length > 0
}
