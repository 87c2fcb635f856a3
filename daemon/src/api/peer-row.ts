import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import type { Invoker } from '@hedgerow/protocols/invocation'
import type { PeerEntry } from '@hedgerow/protocols/view'
import type { Self } from './index.ts'

export interface PeerRowComponents {
  self: Self
  dispatcher: Pick<Dispatcher, 'experience'>
  invoker: Pick<Invoker, 'route'>
}

/** Another peer in one row, as this one knows it. */
export function peerRows({ self, dispatcher, invoker }: PeerRowComponents): (entry: PeerEntry) => object {
  return ({ advert, lastSeen, loads, silent }) => {
    const own = advert.peerId === self.peerId
    const experience = dispatcher.experience(advert.peerId)
    let inFlight = 0
    let queued = 0
    for (const { report } of loads.values()) {
      inFlight += report.inFlight
      queued += report.queued
    }
    return {
      worker_id: advert.name,
      peer_id: advert.peerId,
      role: advert.role,
      version: advert.version,
      services: advert.services.map(({ contract }) => contract.name),
      assigned_services: own ? self.assigned() : advert.services.map(({ contract }) => contract.name),
      eligible_services: advert.eligible,
      resources: Object.fromEntries(
        advert.services
          .filter(({ resources }) => resources.length > 0)
          .map(({ contract, resources }) => [contract.name, resources])
      ),
      capabilities: advert.capabilities,
      load: {
        in_flight: inFlight,
        queued,
        services: Object.fromEntries(
          [...loads].map(([service, { report }]) => [
            service,
            {
              in_flight: report.inFlight,
              queued: report.queued,
              concurrency: report.concurrency,
              latency_ms: report.latency,
              error_rate: report.errorRate
            }
          ])
        )
      },
      path: own ? 'local' : (invoker.route(advert.peerId)?.path ?? null),
      transport: own ? null : (invoker.route(advert.peerId)?.transport ?? null),
      round_trip_ms: experience?.round_trip_ms ?? null,
      ejected_for_ms: experience?.ejected_for_ms ?? 0,
      silent,
      addrs: advert.addrs,
      url: advert.url ?? null,
      last_seen: new Date(own ? Date.now() : Date.now() - (performance.now() - lastSeen)).toISOString()
    }
  }
}
