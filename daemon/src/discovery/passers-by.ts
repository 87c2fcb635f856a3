import type { View } from '@hedgerow/protocols/view'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Logger } from 'pino'

export interface PassersByComponents {
  node: Libp2p
  view: Pick<View, 'peer'>
  log: Logger
}

/**
 * Forgets who leaves and isn't part of the mesh. libp2p keeps what a peer said of itself (up to 8 KiB) for hours, also of
 * strangers that were refused, and a stranger has as many peer ids as it likes. The view is bounded; whoever is in it may
 * be dialled again.
 */
export class PassersBy {
  readonly #node: Libp2p
  readonly #view: Pick<View, 'peer'>
  readonly #log: Logger

  constructor({ node, view, log }: PassersByComponents) {
    this.#node = node
    this.#view = view
    this.#log = log
  }

  start(): void {
    this.#node.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#node.addEventListener('peer:identify', this.#onIdentify)
  }

  stop(): void {
    this.#node.removeEventListener('peer:disconnect', this.#onDisconnect)
    this.#node.removeEventListener('peer:identify', this.#onIdentify)
  }

  #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => this.#forget(detail)

  /** What it said may come to be kept when it has left already. */
  #onIdentify = ({ detail: { peerId } }: CustomEvent<{ peerId: PeerId }>): void => {
    if (this.#node.getConnections(peerId).length === 0) this.#forget(peerId)
  }

  #forget(peerId: PeerId): void {
    if (this.#view.peer(peerId.toString()) != null) return
    this.#node.peerStore
      .delete(peerId)
      .catch(err => this.#log.debug({ err, peer: peerId.toString() }, 'a peer could not be forgotten'))
  }
}
