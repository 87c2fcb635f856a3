import type { FastifyPluginAsync } from 'fastify'
import type { PlacementDecision } from '../placement/index.ts'
import type { InstanceReport } from '../runtime/index.ts'

export interface PlacementRoutesComponents {
  services: { report(): { instances: InstanceReport[]; placement: PlacementDecision[] } }
}

/** `GET /api/admin/placement`: what each service does here, and why it is run here or isn't. */
export function placementRoutes({ services }: PlacementRoutesComponents): FastifyPluginAsync {
  return async app => {
    app.get(
      '/api/admin/placement',
      { schema: { tags: ['mesh'], summary: 'What runs here, what does not, and why' } },
      async () => {
        const { instances, placement } = services.report()
        return { instances: instances.map(instanceJson), placement }
      }
    )
  }
}

function instanceJson({ backend, load, ...instance }: InstanceReport): object {
  const { since, lastError, origin, pid, ...rest } = backend
  return {
    ...instance,
    backend: {
      ...rest,
      origin: origin ?? null,
      pid: pid ?? null,
      since: new Date(Date.now() - since).toISOString(),
      last_error: lastError == null ? null : { at: lastError.at.toISOString(), message: lastError.message }
    },
    load: {
      in_flight: load.inFlight,
      queued: load.queued,
      concurrency: load.concurrency,
      latency_ms: load.latency,
      error_rate: load.errorRate
    }
  }
}
