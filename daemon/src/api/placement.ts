import type { FastifyPluginAsync } from 'fastify'
import type { EngineStatus } from '../containers/index.ts'
import type { PlacementDecision } from '../placement/index.ts'
import type { InstanceReport } from '../runtime/index.ts'

export interface PlacementRoutesComponents {
  services: {
    report(): { instances: InstanceReport[]; placement: PlacementDecision[]; containers?: EngineStatus }
  }
}

/** `GET /api/admin/placement`: what each service does here, and why it is run here or isn't. */
export function placementRoutes({ services }: PlacementRoutesComponents): FastifyPluginAsync {
  return async app => {
    app.get(
      '/api/admin/placement',
      { schema: { tags: ['mesh'], summary: 'What runs here, what does not, and why' } },
      async () => {
        const { instances, placement, containers } = services.report()
        return { instances: instances.map(instanceJson), placement, ...enginesJson(containers, true) }
      }
    )
  }
}

function instanceJson({ backend, load, ...instance }: InstanceReport): object {
  const { since, lastError, origin, pid, container, ...rest } = backend
  return {
    ...instance,
    backend: {
      ...rest,
      origin: origin ?? null,
      pid: pid ?? null,
      ...(container == null ? {} : { container }),
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

/** @param all with what is for this machine's owner only: where the engine is, and what is wrong */
export function enginesJson(status: EngineStatus | undefined, all: boolean): { containers?: object } {
  if (status == null) return {}
  if (status.state !== 'ready') {
    return { containers: { state: status.state, ...(all ? { reason: status.reason } : {}) } }
  }
  const { name, version, gpu } = status.engine
  const more = all ? { place: status.place } : {}
  return { containers: { state: status.state, engine: `${name} ${version}`, gpu: gpu != null, ...more } }
}
