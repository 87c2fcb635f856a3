/** The mesh that this page is part of, as signals. */
import {
  joinMesh,
  type Mesh,
  MeshError,
  type MeshStatus,
  type PeerInfo,
  type ServiceInfo
} from '@hedgerow/browser-node'
import { computed, signal } from '@preact/signals'

export type Phase =
  | { is: 'joining' }
  | { is: 'joined'; mesh: Mesh }
  /** the mesh is closed, and doesn't know this page's user */
  | { is: 'shut'; why: string | undefined }
  | { is: 'failed'; why: string }

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
/** anybody may join */
export const isOpen = computed(() => mesh.value != null && !mesh.value.closed)
export const withinNetworkOnly = computed(() => mesh.value != null && mesh.value.iceServers.length === 0)
export const canSend = computed(() => status.value === 'online' || status.value === 'bridged')

/** The page's own relay, and others named in `?relay=`. */
function relayUrls(): string[] {
  const named = new URLSearchParams(location.search).getAll('relay')
  return [...new Set([location.origin, ...named])]
}

const PASS = 'hedgerow-pass'

/** What the user was given to get in: an API key or a token of who they are, or an invite. Kept until the tab is closed. */
export const pass = signal<{ token: string } | { invite: string } | undefined>(keptPass())

function keptPass(): { token: string } | { invite: string } | undefined {
  try {
    const kept = sessionStorage.getItem(PASS)
    return kept == null ? undefined : passOf(kept)
  } catch {
    return undefined
  }
}

/** A page that is loaded again is the same peer: else each time would use up one use of its invite. */
function kept(): { storage?: Storage } {
  try {
    return pass.value == null ? {} : { storage: sessionStorage }
  } catch {
    return {}
  }
}

/** Invites say in their head what they are; all else is for the relay to know. */
function passOf(text: string): { token: string } | { invite: string } {
  try {
    const { typ } = JSON.parse(atob((text.split('.')[0] ?? '').replaceAll('-', '+').replaceAll('_', '/')))
    if (typ === 'hedgerow-invite+jwt') return { invite: text }
  } catch {
    // a key
  }
  return { token: text }
}

/** Tries to join with what the user has typed. */
export function signIn(text: string): Promise<void> {
  const given = text.trim().replace(/^HEDGEROW_INVITE=/, '')
  pass.value = passOf(given)
  try {
    sessionStorage.setItem(PASS, given)
  } catch {
    // then it is asked for again
  }
  return join()
}

function isShut(err: unknown): boolean {
  return err instanceof Error && err.cause instanceof MeshError && err.cause.code === 'Unauthorized'
}

export async function join(): Promise<void> {
  phase.value = { is: 'joining' }
  try {
    follow(await joinMesh({ relays: relayUrls(), ...pass.value, ...kept() }))
  } catch (err) {
    if (isShut(err)) {
      phase.value = { is: 'shut', why: pass.value == null ? undefined : wordsOf(err) }
      return
    }
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
