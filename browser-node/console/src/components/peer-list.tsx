import type { PeerInfo } from '@hedgerow/browser-node'
import { loadOf } from '../logic/picture.ts'
import { duration, listed, pathWords, upperFirst } from '../logic/words.ts'
import { peers, phase } from '../state/mesh.ts'
import { peerHref } from '../state/route.ts'
import { taskOf } from '../tasks/index.ts'
import { LoadBar } from './load-bar.tsx'

export const serviceWords = (name: string): string => taskOf(name)?.title ?? name

/** Workers first, then relays; by name. */
function sorted(all: PeerInfo[]): PeerInfo[] {
  return all
    .filter(({ role }) => role !== 'client')
    .sort((a, b) => Number(a.role === 'relay') - Number(b.role === 'relay') || a.name.localeCompare(b.name))
}

export function PeerList({ compact = false }: { compact?: boolean }) {
  const all = sorted(peers.value)
  if (phase.value.is === 'joining') return <p aria-busy="true">Looking who is here…</p>
  if (all.length === 0) return <p class="muted">Nobody but this page is here yet.</p>
  return (
    <ul class="peer-list">
      {all.map(peer => (
        <li key={peer.peerId} class="peer-row" data-silent={peer.silent}>
          <div class="peer-main">
            <a href={peerHref(peer.peerId)}>{peer.name || 'unnamed'}</a>
            <span class="muted">
              {peer.role === 'relay' ? 'A relay: introduces computers to one another' : whatItDoes(peer, compact)}
            </span>
          </div>
          <div class="peer-side">
            <span class={`way way-${peer.path}`}>{upperFirst(pathWords(peer.path))}</span>
            {peer.silent ? (
              <span class="muted">not heard from for {duration(peer.silentFor)}</span>
            ) : (
              peer.role === 'worker' && <LoadBar share={loadOf(peer)} />
            )}
          </div>
        </li>
      ))}
    </ul>
  )
}

function whatItDoes({ services }: PeerInfo, compact: boolean): string {
  if (services.length === 0) return 'offers nothing at the moment'
  return compact ? listed(services.map(serviceWords), 3) : services.map(serviceWords).join(' · ')
}
