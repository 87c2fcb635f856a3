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
import {
  believe,
  CredentialError,
  isForgery,
  type Member,
  mayOffer,
  openTrust,
  type Trust
} from '../membership/index.ts'
import { Rates } from '../rate/index.ts'
import { InvalidMessage, openStatement, type Statement, subjectOf } from '../statement/index.ts'
import type { View } from '../view/index.ts'

export interface LedgerComponents {
  mesh: string
  /** whose statements count. @default everybody's: the mesh is open */
  trust?: Trust
  view: View
  /** milliseconds of a clock that never goes back. @default performance.now */
  now?(): number
}

/** - `news`: pass it on. - `known`: old, a repetition, or one too many. - `invalid`: whoever sent it should not have. */
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
  /** the newest sealed advert of every peer that the view knows, by peer id */
  adverts(): Iterable<readonly [peerId: string, sealed: Uint8Array]>
  advertOf(peerId: string): Uint8Array | undefined
  /** called with every statement that was news */
  addListener(listener: (entry: Entry) => void): () => void
  /** Checks bytes that are to be kept, such as a DHT record, without learning them. @throws {Error} with what is wrong */
  check(bytes: Uint8Array): Promise<Statement>
  /** Forgets peers whose credential has ended. */
  sweep(): void
  stop(): void
}

/** What a peer may say of itself, each second and at once: several times what one of ours has to say. */
const ADVERTS = { perSecond: 1, burst: 30 }
/** Of each of its services. */
const REPORTS = { perSecond: 3, burst: 10 }

export function createLedger({
  mesh,
  view,
  trust = openTrust(mesh),
  now = () => performance.now()
}: LedgerComponents): Ledger {
  const isClosed = trust.authority != null
  /** whose advert is in force, as the credential in it says */
  const members = new Map<string, Member>()
  const adverts = new Rates({ ...ADVERTS, now })
  const goodbyes = new Rates({ ...ADVERTS, now })
  const reports = new Rates({ ...REPORTS, now })
  const sealed = new Map<string, Uint8Array>()
  const listeners = new Set<(entry: Entry) => void>()
  // The view bounds itself; what it forgets is forgotten here too.
  const unwatch = view.addListener(change => {
    if (change.type !== 'gone') return
    sealed.delete(change.peerId)
    members.delete(change.peerId)
  })

  const read = async (bytes: Uint8Array): Promise<Statement | undefined> => {
    try {
      return await openStatement(bytes, mesh)
    } catch (err) {
      if (err instanceof InvalidMessage) return undefined
      throw err
    }
  }

  /**
   * Whoever has news of itself without end is not passed on. Only news counts: what somebody replays of another's must
   * not silence that one.
   */
  const teach = (statement: Statement, member: Member | undefined): boolean => {
    switch (statement.type) {
      case 'advert': {
        const { peerId, sequence } = statement.advert
        if (sequence <= (view.peer(peerId)?.advert.sequence ?? -1n)) return false
        // Not even learned: everybody's placement looks at each.
        return adverts.take(peerId) && view.learnAdvert(statement.advert, member?.credential.classes)
      }
      case 'goodbye':
        return view.learnGoodbye(statement.goodbye) && goodbyes.take(statement.goodbye.peerId)
      case 'load': {
        const { report } = statement
        return view.learnLoad(report) && reports.take(`${report.service} ${report.peerId}`)
      }
    }
  }

  /** Whether a goodbye or a report is by somebody whose advert is known, and of a service that it may offer. */
  const isMembers = (statement: Statement): boolean => {
    const member = members.get(subjectOf(statement))
    return member != null && (statement.type !== 'load' || mayOffer(member, statement.report.service))
  }

  const sweep = (): void => {
    for (const [peerId, member] of members) {
      try {
        trust.recheck(member)
      } catch (err) {
        if (!(err instanceof CredentialError)) throw err
        view.expel(peerId)
      }
    }
  }
  const unwatchTrust = trust.addListener(sweep)

  return {
    read,
    sweep,
    async check(bytes) {
      const statement = await openStatement(bytes, mesh)
      if (statement.type === 'advert') await believe(statement.advert, trust)
      return statement
    },
    async learn(bytes) {
      const statement = await read(bytes)
      if (statement == null) return 'invalid'
      let member: Member | undefined
      if (statement.type === 'advert') {
        try {
          member = await believe(statement.advert, trust)
        } catch (err) {
          if (err instanceof CredentialError) return isForgery(err) ? 'invalid' : 'known'
          throw err
        }
      } else if (isClosed && !isMembers(statement)) return 'known'
      if (!teach(statement, member)) return 'known'
      if (statement.type === 'advert' && view.peer(statement.advert.peerId) != null) {
        sealed.set(statement.advert.peerId, bytes)
        if (member != null && isClosed) members.set(statement.advert.peerId, member)
      }
      for (const listener of listeners) listener({ statement, bytes })
      return 'news'
    },
    adverts: () => sealed.entries(),
    advertOf: peerId => sealed.get(peerId),
    addListener(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop() {
      unwatch()
      unwatchTrust()
    }
  }
}
