import { type Advert, ENTRY_KINDS, type EntryKind } from '@hedgerow/protocols/advert'
import type { Ledger } from '@hedgerow/protocols/ledger'
import { InvalidMessage } from '@hedgerow/protocols/statement'
import type { View } from '@hedgerow/protocols/view'
import { isFresh, openVouch, type Vouch } from '@hedgerow/protocols/vouch'
import { readTarget } from '../dial-back/index.ts'
import { mayBe, urlOfAddr } from './claim.ts'
import { ENTRY_POINT_TTL } from './constants.ts'

export interface EntryPointsComponents {
  mesh: string
  ledger: Pick<Ledger, 'addListener'>
  view: Pick<View, 'peer' | 'peers' | 'addListener'>
  /** milliseconds of the view's clock */
  now(): number
  /** milliseconds since 1970 */
  today(): number
}

/** A place to enter the mesh, of which another peer has proved that it is one. */
export interface ProvedEntry {
  peerId: string
  kind: EntryKind
  addr: string
  /** where HTTP is spoken; left out where there is libp2p only */
  url?: string
  /** milliseconds since 1970, by the clock of whoever vouches */
  provedAt: number
  /** milliseconds of the view's clock */
  lastSeen: number
}

interface Checked extends Vouch {
  by: string
  kind: EntryKind
}

/** The entry points of the mesh, as every peer finds them the same from the same adverts. */
export class EntryPoints {
  readonly #components: EntryPointsComponents
  /** of the advert with that sequence; no more peers than the view has */
  readonly #checked = new Map<string, { sequence: bigint; entries: Checked[] }>()
  readonly #unwatch: Array<() => void>

  constructor(components: EntryPointsComponents) {
    const { ledger, view } = components
    this.#components = components
    this.#unwatch = [
      ledger.addListener(({ statement }) => {
        if (statement.type === 'advert') void this.#learn(statement.advert)
      }),
      view.addListener(change => {
        if (change.type === 'gone') this.#checked.delete(change.peerId)
      })
    ]
  }

  /** The best first, and in the same order everywhere. */
  list(): ProvedEntry[] {
    const { view, now, today } = this.#components
    const at = now()
    const seconds = today() / 1000
    const proved: ProvedEntry[] = []
    for (const [peerId, { entries }] of this.#checked) {
      const peer = view.peer(peerId)
      if (peer == null || at - peer.lastSeen >= ENTRY_POINT_TTL) continue
      for (const entry of entries) {
        if (!isFresh(entry, seconds) || !this.#mayVouch(entry.by)) continue
        const url = urlOfAddr(entry.addr)
        proved.push({
          peerId,
          kind: entry.kind,
          addr: entry.addr,
          ...(url == null ? {} : { url }),
          provedAt: entry.at * 1000,
          lastSeen: peer.lastSeen
        })
      }
    }
    return proved.sort(byPriority)
  }

  /** Whether a peer said that it is an entry point and has been silent since for as long as ends that. */
  isGone(peerId: string): boolean {
    const { view, now } = this.#components
    const peer = view.peer(peerId)
    return peer?.advert.entries != null && now() - peer.lastSeen >= ENTRY_POINT_TTL
  }

  stop(): void {
    for (const unwatch of this.#unwatch) unwatch()
  }

  async #learn(advert: Advert): Promise<void> {
    const { peerId, sequence, entries = [] } = advert
    const checked: Checked[] = []
    for (const { kind, addr, vouch } of entries) {
      const opened = await openVouch(vouch, this.#components.mesh).catch(err => {
        if (err instanceof InvalidMessage) return undefined
        throw err
      })
      if (opened == null || opened.peerId !== peerId || opened.addr !== addr || opened.by === peerId) continue
      // What somebody reached within its own network is not of the internet, unless by a tunnel's name.
      if (readTarget(addr) == null || !mayBe(kind, addr, opened.scope)) continue
      checked.push({ ...opened, kind })
    }
    if (this.#components.view.peer(peerId) == null || sequence <= (this.#checked.get(peerId)?.sequence ?? -1n)) return
    this.#checked.set(peerId, { sequence, entries: checked })
  }

  /** Somebody of the mesh who is here for longer than a question. */
  #mayVouch(peerId: string): boolean {
    const role = this.#components.view.peer(peerId)?.advert.role
    return role === 'relay' || role === 'worker'
  }
}

/** The best of each peer that has a URL: what is listed for frontends. */
export function bestByPeer(entries: readonly ProvedEntry[]): Array<ProvedEntry & { url: string }> {
  const best = new Map<string, ProvedEntry & { url: string }>()
  for (const entry of entries) {
    const { url } = entry
    if (url != null && !best.has(entry.peerId)) best.set(entry.peerId, { ...entry, url })
  }
  return [...best.values()]
}

function byPriority(a: ProvedEntry, b: ProvedEntry): number {
  return (
    ENTRY_KINDS.indexOf(a.kind) - ENTRY_KINDS.indexOf(b.kind) || compare(a.peerId, b.peerId) || compare(a.addr, b.addr)
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
