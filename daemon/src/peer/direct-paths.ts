import { isPrivate } from '@libp2p/utils'
import { CODE_WEBRTC_DIRECT, type Multiaddr } from '@multiformats/multiaddr'
import type { DirectPaths } from '../api/index.ts'
import type { IceServers, Node } from '../node/index.ts'

/** A server to ask how one is seen, or a public address of its own: with neither, only its own network finds a peer. */
export function directPaths(node: Pick<Node, 'getMultiaddrs'>, iceServers: Pick<IceServers, 'current'>): DirectPaths {
  return iceServers.current().length > 0 || node.getMultiaddrs().some(isPublicWebRtc) ? 'anywhere' : 'local_network'
}

function isPublicWebRtc(addr: Multiaddr): boolean {
  return addr.getComponents().some(({ code }) => code === CODE_WEBRTC_DIRECT) && !isPrivate(addr)
}
