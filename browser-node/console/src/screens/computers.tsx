import { MeshPicture } from '../components/mesh-picture.tsx'
import { PeerList } from '../components/peer-list.tsx'
import { ServiceList } from '../components/service-list.tsx'
import { summaryOf } from '../logic/picture.ts'
import { mesh, peers, phase, withinNetworkOnly } from '../state/mesh.ts'

export function ComputersScreen() {
  return (
    <>
      <section class="hero">
        <h1 tabIndex={-1}>Computers</h1>
        <p class="lead">{phase.value.is === 'joining' ? 'Joining…' : summaryOf(peers.value)}</p>
      </section>
      <div class="card">
        <MeshPicture atOnce />
      </div>
      {withinNetworkOnly.value && (
        <p class="note">
          Direct connections work within one network only. Computers elsewhere are reached through a relay, which passes
          on what it can’t read.
        </p>
      )}
      <section class="card" aria-labelledby="all-computers">
        <h2 id="all-computers">Everybody</h2>
        <PeerList />
      </section>
      <section class="card" aria-labelledby="all-services">
        <h2 id="all-services">What is offered</h2>
        <ServiceList />
      </section>
      {mesh.value != null && (
        <details class="quiet">
          <summary>Details of this page</summary>
          <dl class="facts">
            <dt>Mesh</dt>
            <dd>{mesh.value.name}</dd>
            <dt>Peer ID of this page</dt>
            <dd>
              <code>{mesh.value.peerId}</code>
            </dd>
          </dl>
        </details>
      )}
    </>
  )
}
