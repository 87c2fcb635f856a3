import type { PeerInfo } from '@hedgerow/browser-node'
import { Back } from '../components/back.tsx'
import { LoadBar } from '../components/load-bar.tsx'
import { serviceWords } from '../components/peer-list.tsx'
import { loadOf } from '../logic/picture.ts'
import { duration, pathWords, size, upperFirst } from '../logic/words.ts'
import { peers, phase } from '../state/mesh.ts'
import { taskHref } from '../state/route.ts'

export function PeerScreen({ peerId }: { peerId: string }) {
  const peer = peers.value.find(one => one.peerId === peerId)
  return (
    <>
      <Back href="#/computers">Computers</Back>
      {peer != null ? <Detail peer={peer} /> : <Missing />}
    </>
  )
}

function Missing() {
  const joining = phase.value.is === 'joining'
  return (
    <section class="hero">
      <h1 tabIndex={-1}>{joining ? 'Joining…' : 'Not here any more'}</h1>
      {!joining && <p class="lead">This computer has left, or was never heard of by this page.</p>}
    </section>
  )
}

function Detail({ peer }: { peer: PeerInfo }) {
  const { name, role, path, silent, silentFor, roundTrip, services } = peer
  return (
    <>
      <section class="hero">
        <h1 tabIndex={-1}>{name || 'Unnamed'}</h1>
        <p class="lead">
          {role === 'relay' ? 'A relay: it introduces computers to one another.' : 'A computer that somebody lends.'}{' '}
          {path === 'none' ? 'This page is not connected to it.' : `Reached ${pathWords(path)}.`}
        </p>
        {silent && <p class="note">Nothing has been heard from it for {duration(silentFor)}; it may be gone.</p>}
      </section>
      {role === 'worker' && (
        <section class="card" aria-labelledby="offers">
          <h2 id="offers">What it does</h2>
          {services.length === 0 && <p class="muted">Nothing at the moment.</p>}
          <ul class="peer-list">
            {services.map(service => (
              <li key={service} class="peer-row">
                <div class="peer-main">
                  <a href={taskHref(service)}>{serviceWords(service)}</a>
                </div>
                <Load of={peer.loads[service]} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <section class="card" aria-labelledby="details">
        <h2 id="details">Details</h2>
        <dl class="facts">
          <dt>Reached</dt>
          <dd>
            {upperFirst(pathWords(path))}
            {peer.transport !== 'none' && peer.transport !== 'unknown' && ` (${peer.transport})`}
          </dd>
          <dt>There and back</dt>
          <dd>{roundTrip == null ? 'not measured yet' : duration(roundTrip)}</dd>
          {role === 'worker' && <Machine of={peer.capabilities} />}
          <dt>Version</dt>
          <dd>{peer.version}</dd>
          {peer.url != null && (
            <>
              <dt>Web address</dt>
              <dd>{peer.url}</dd>
            </>
          )}
          <dt>Peer ID</dt>
          <dd>
            <code>{peer.peerId}</code>
          </dd>
        </dl>
      </section>
    </>
  )
}

function Load({ of }: { of: PeerInfo['loads'][string] | undefined }) {
  if (of == null) return null
  return (
    <div class="peer-side">
      <LoadBar share={loadOf({ loads: { of } })} />
      <span class="muted">
        {of.inFlight + of.queued} of {of.concurrency} at once{of.latency > 0 && `, takes ${duration(of.latency)}`}
      </span>
    </div>
  )
}

const MIB = 1024 ** 2

function Machine({ of: { cores, memory, disk, gpus, arch, platform } }: { of: PeerInfo['capabilities'] }) {
  return (
    <>
      <dt>Machine</dt>
      <dd>
        {cores} cores, {size(memory * MIB)} memory, {size(disk * MIB)} disk ({platform}, {arch})
      </dd>
      <dt>Graphics</dt>
      <dd>
        {gpus.length === 0
          ? 'none for computing'
          : gpus.map(({ model, memory: m }) => `${model}, ${size(m * MIB)}`).join('; ')}
      </dd>
    </>
  )
}
