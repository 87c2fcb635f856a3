/** Development only: the library's interface over plain HTTP, as long as the library itself is not there. */
import type { Explanation, Mesh, MeshRequestInit, PeerInfo, ServiceInfo } from '../../src/index.ts'

const json = async (url: string): Promise<any> => (await fetch(url)).json()

export async function joinMesh(): Promise<Mesh> {
  const target = new EventTarget()
  let peers: PeerInfo[] = []
  let services: ServiceInfo[] = []
  let status: Mesh['status'] = 'online'
  const explanations = new Map<string, Explanation>()
  const refresh = async () => {
    try {
      const [w, r, s] = await Promise.all([
        json('/api/admin/workers'),
        json('/api/admin/relays'),
        json('/api/services')
      ])
      const rows = [
        ...w.workers,
        ...r.relays.map((x: any) => ({ ...x, role: 'relay', worker_id: 'relay', services: [] }))
      ]
      peers = rows.map(
        (x: any): PeerInfo => ({
          peerId: x.peer_id,
          name: x.worker_id,
          role: x.role,
          version: x.version ?? '0.1.0',
          path: x.role === 'relay' ? 'direct' : x.worker_id === 'worker-2' ? 'relayed' : 'direct',
          transport: x.role === 'relay' ? 'ws' : 'webrtc',
          roundTrip: x.round_trip_ms ?? undefined,
          silent: x.silent ?? false,
          silentFor: 800,
          services: x.services,
          loads: Object.fromEntries(
            Object.entries(x.load?.services ?? {}).map(([k, l]: [string, any]) => [
              k,
              { inFlight: l.in_flight, queued: l.queued, concurrency: l.concurrency, latency: l.latency_ms }
            ])
          ),
          capabilities: x.capabilities ?? { cores: 0, memory: 0, disk: 0, gpus: [], arch: '', platform: '' },
          url: x.url ?? undefined
        })
      )
      services = s.services.map((x: any) => ({ ...x }))
      status = 'online'
    } catch {
      status = 'offline'
    }
    target.dispatchEvent(new CustomEvent('peers'))
    target.dispatchEvent(new CustomEvent('status'))
  }
  await refresh()
  setInterval(refresh, 1000)
  return {
    peerId: '12D3KooWStandInStandInStandInStandInStandInStandIn',
    name: 'hedgerow',
    iceServers: [],
    get status() {
      return status
    },
    async fetch(input, init?: MeshRequestInit) {
      const response = await fetch(input, init)
      const id = response.headers.get('hedgerow-request-id')
      if (id != null) explanations.set(id, await json(`/explain/${id}`))
      return response
    },
    peers: () => peers,
    services: () => services,
    explain: id => explanations.get(id),
    addEventListener: (t: string, l: any) => target.addEventListener(t, l),
    removeEventListener: (t: string, l: any) => target.removeEventListener(t, l),
    async stop() {}
  }
}
