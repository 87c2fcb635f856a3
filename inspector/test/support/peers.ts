import type { PeerInfo } from '../../src/source/index.ts'

/** A peer as a source tells of it, with what a test cares for. */
export function peer(given: Partial<PeerInfo> & { name: string }): PeerInfo {
  return {
    peer_id: `12D3KooW${given.name}`,
    role: 'worker',
    version: '0.1.0',
    services: [],
    assigned_services: [],
    eligible_services: [],
    resources: {},
    capabilities: { cores: 2, memory: 2048, disk: 10_240, gpus: [], arch: 'x64', platform: 'linux' },
    load: { in_flight: 0, queued: 0, services: {} },
    path: 'direct',
    transport: 'tcp',
    round_trip_ms: 1.5,
    ejected_for_ms: 0,
    silent: false,
    addrs: [],
    url: null,
    last_seen: new Date(NOW - 5000).toISOString(),
    ...given
  }
}

export const NOW = Date.parse('2026-03-01T12:00:00Z')
