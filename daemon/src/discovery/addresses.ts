import { readMultiaddr } from '@hedgerow/protocols/address'
import type { View } from '@hedgerow/protocols/view'
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'

/** Tells the node where a peer says it can be dialled, so that no lookup is needed to reach it. */
export async function learnAddrs(node: Libp2p, view: Pick<View, 'peer'>, peerId: string): Promise<void> {
  const multiaddrs = (view.peer(peerId)?.advert.addrs ?? []).flatMap(addr => readMultiaddr(addr) ?? [])
  if (multiaddrs.length > 0) await node.peerStore.merge(peerIdFromString(peerId), { multiaddrs })
}
