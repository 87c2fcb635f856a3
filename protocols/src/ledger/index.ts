/**
 * Where every statement of the mesh comes in, by whichever way it came: gossip, the DHT, a snapshot, a page's event
 * stream. It checks the bytes once, teaches the view, keeps the newest sealed advert of each peer so that it can be
 * handed on as its author signed it, and tells listeners what was news.
 *
 * @example
 * ```ts
 * const ledger = createLedger({ mesh, view })
 * await ledger.learn(bytes) // 'news' | 'known' | 'invalid'
 * ```
 */
import { InvalidMessage, openStatement, type Statement } from '../statement/index.ts'
import type { View } from '../view/index.ts'

export interface LedgerComponents {
  mesh: string
  view: View
}

/** - `news`: pass it on. - `known`: old or a repetition. - `invalid`: whoever sent it should not have. */
export type Verdict = 'news' | 'known' | 'invalid'

export interface Entry {
  statement: Statement
  /** as its author sealed it */
  bytes: Uint8Array
}

export interface Ledger {
  learn(bytes: Uint8Array): Promise<Verdict>
  /** what a statement says, without learning it; undefined when it is invalid */
  read(bytes: Uint8Array): Promise<Statement | undefined>
  /** the newest sealed advert of every peer that the view knows */
  adverts(): Iterable<Uint8Array>
  advertOf(peerId: string): Uint8Array | undefined
  /** called with every statement that was news */
  addListener(listener: (entry: Entry) => void): () => void
  stop(): void
}

export function createLedger({ mesh, view }: LedgerComponents): Ledger {
  const sealed = new Map<string, Uint8Array>()
  const listeners = new Set<(entry: Entry) => void>()
  // The view bounds itself; what it forgets is forgotten here too.
  const unwatch = view.addListener(change => {
    if (change.type === 'gone') sealed.delete(change.peerId)
  })

  const read = async (bytes: Uint8Array): Promise<Statement | undefined> => {
    try {
      return await openStatement(bytes, mesh)
    } catch (err) {
      if (err instanceof InvalidMessage) return undefined
      throw err
    }
  }

  const teach = (statement: Statement): boolean => {
    switch (statement.type) {
      case 'advert':
        return view.learnAdvert(statement.advert)
      case 'goodbye':
        return view.learnGoodbye(statement.goodbye)
      case 'load':
        return view.learnLoad(statement.report)
    }
  }

  return {
    read,
    async learn(bytes) {
      const statement = await read(bytes)
      if (statement == null) return 'invalid'
      if (!teach(statement)) return 'known'
      if (statement.type === 'advert' && view.peer(statement.advert.peerId) != null)
        sealed.set(statement.advert.peerId, bytes)
      for (const listener of listeners) listener({ statement, bytes })
      return 'news'
    },
    adverts: () => sealed.values(),
    advertOf: peerId => sealed.get(peerId),
    addListener(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop: unwatch
  }
}
