/** The mesh that this page is part of, as signals. */
import { joinMesh, type Mesh, type MeshStatus, type PeerInfo, type ServiceInfo } from '@hedgerow/browser-node'
import { computed, signal } from '@preact/signals'

export type Phase = { is: 'joining' } | { is: 'joined'; mesh: Mesh } | { is: 'failed'; why: string }

export const phase = signal<Phase>({ is: 'joining' })
export const peers = signal<PeerInfo[]>([])
export const services = signal<ServiceInfo[]>([])
export const status = signal<MeshStatus>('offline')

export const mesh = computed(() => (phase.value.is === 'joined' ? phase.value.mesh : undefined))
export const workers = computed(() => peers.value.filter(({ role }) => role === 'worker'))
export const relays = computed(() => peers.value.filter(({ role }) => role === 'relay'))
/** computers go on answering without a relay; new ones aren't found */
export const relayLost = computed(
  () => status.value === 'online' && relays.value.length > 0 && relays.value.every(({ path }) => path === 'none')
)
export const withinNetworkOnly = computed(() => mesh.value != null && mesh.value.iceServers.length === 0)
/** Anybody may be in it; also while it isn't known yet. */
export const isOpen = computed(() => mesh.value?.closed !== true)
export const canSend = computed(() => status.value === 'online' || status.value === 'bridged')

/** The page's own relay, and others named in `?relay=`. */
function relayUrls(): string[] {
  const named = new URLSearchParams(location.search).getAll('relay')
  return [...new Set([location.origin, ...named])]
}

export async function join(): Promise<void> {
  phase.value = { is: 'joining' }
  try {
    follow(await joinMesh({ relays: relayUrls() }))
  } catch (err) {
    phase.value = { is: 'failed', why: wordsOf(err) }
  }
}

function follow(joined: Mesh): void {
  const refresh = (): void => {
    peers.value = joined.peers()
    services.value = joined.services()
    status.value = joined.status
  }
  joined.addEventListener('peers', refresh)
  joined.addEventListener('status', refresh)
  refresh()
  phase.value = { is: 'joined', mesh: joined }
  // A page that is put aside and comes back (bfcache) starts anew; until then its connections are not left hanging.
  addEventListener('pagehide', () => void joined.stop(), { once: true })
  addEventListener('pageshow', event => event.persisted && location.reload(), { once: true })
}

function wordsOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  return err.cause instanceof Error ? `${err.message}: ${err.cause.message}` : err.message
}

/** What a peer's owner calls it; the end of its id where nothing better is known. */
export function nameOf(peerId: string): string {
  const name = peers.value.find(peer => peer.peerId === peerId)?.name
  return name != null && name !== '' ? name : `computer ${peerId.slice(-6)}`
}
