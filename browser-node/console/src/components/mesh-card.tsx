import { summaryOf } from '../logic/picture.ts'
import { peers, phase } from '../state/mesh.ts'
import { MeshPicture } from './mesh-picture.tsx'
import { PeerList } from './peer-list.tsx'

/** Who is here, as a picture and as a list that says the same. */
export function MeshCard() {
  const joining = phase.value.is === 'joining'
  return (
    <section class="card mesh-card" aria-labelledby="here">
      <header>
        <h2 id="here">Who is here</h2>
        <p class="muted mesh-summary">{joining ? 'Joining…' : summaryOf(peers.value)}</p>
      </header>
      <MeshPicture />
      <details class="quiet">
        <summary>The same as a list</summary>
        <PeerList compact />
      </details>
    </section>
  )
}
