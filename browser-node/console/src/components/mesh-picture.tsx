import { useEffect, useRef, useState } from 'preact/hooks'
import { summaryOf } from '../logic/picture.ts'
import { peers, phase, workers } from '../state/mesh.ts'
import { peerHref } from '../state/route.ts'
import { entries } from '../state/session.ts'
import { shade } from '../state/theme.ts'
import type { Picture } from './picture/draw.ts'

/** Milliseconds that the page must have had nothing to do, so that a first request never waits for the picture. */
const REST = 1500

/** The live picture. The graph library is large, and comes when the page has nothing better to do. */
export function MeshPicture({ atOnce = false }: { atOnce?: boolean }) {
  const host = useRef<HTMLDivElement>(null)
  const [picture, setPicture] = useState<Picture>()
  const [missing, setMissing] = useState(false)
  const resting = phase.value.is === 'joined' && !entries.value.some(({ state }) => state === 'under-way')
  const wanted = useRef(false)
  useEffect(() => {
    if (!resting || wanted.current) return
    const timer = setTimeout(
      () => {
        wanted.current = true
        import('./picture/draw.ts').then(
          ({ draw }) => {
            if (host.current != null) setPicture(draw(host.current, openPeer))
          },
          () => setMissing(true)
        )
      },
      atOnce ? 0 : REST
    )
    return () => clearTimeout(timer)
  }, [resting, atOnce])
  useEffect(() => () => picture?.destroy(), [picture])
  const now = peers.value
  const shown = shade.value
  useEffect(() => picture?.show(now), [picture, now])
  useEffect(() => picture?.restyle(), [picture, shown])
  const empty = phase.value.is === 'joined' && workers.value.length === 0
  return (
    <figure class="picture">
      <div ref={host} class="picture-canvas" role="img" aria-label={`Picture of the mesh. ${summaryOf(now)}`} />
      {picture == null && !empty && <p class="picture-note">{missing ? MISSING : waitingFor()}</p>}
      {empty && (
        <p class="picture-note">
          No computer has joined yet. As soon as somebody lends one, it appears here and the tasks become available.
        </p>
      )}
      <figcaption class="legend">
        <span>
          <i class="line line-direct" aria-hidden="true" /> directly
        </span>
        <span>
          <i class="line line-relayed" aria-hidden="true" /> through a relay
        </span>
        <span>
          <i class="line line-none" aria-hidden="true" /> not connected
        </span>
        <span>
          <i class="load-key" aria-hidden="true" /> filled: at work
        </span>
      </figcaption>
    </figure>
  )
}

/** It comes from the relay, which may have gone since the page was opened. */
const MISSING = 'The picture can’t be fetched right now. The list below says the same.'

function waitingFor(): string {
  return phase.value.is === 'joined' ? 'Drawing who is here…' : 'Joining…'
}

function openPeer(peerId: string): void {
  location.hash = peerHref(peerId)
}
