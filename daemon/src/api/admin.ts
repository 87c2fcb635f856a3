import type { ServiceContract } from '@hedgerow/protocols/contract'
import type { Dispatcher } from '@hedgerow/protocols/dispatch'
import type { Invoker } from '@hedgerow/protocols/invocation'
import type { View } from '@hedgerow/protocols/view'
import type { FastifyPluginAsync } from 'fastify'
import type { Self } from './index.ts'
import { peerRows } from './peer-row.ts'

export interface AdminComponents {
  self: Self
  view: View
  dispatcher: Pick<Dispatcher, 'experience'>
  invoker: Pick<Invoker, 'route'>
}

interface ServiceRow {
  name: string
  title: string
  version: string
  aliases: string[]
  protocol: string
  tier: string
  wanted: number
  found: number
  healthy: number
  workers: string[]
}

export function adminRoutes({ self, view, dispatcher, invoker }: AdminComponents): FastifyPluginAsync {
  const serviceRow = ({ name, title, version, aliases, protocol, tier, replicas }: ServiceContract): ServiceRow => {
    const candidates = view.candidates(name)
    const healthy = candidates.filter(
      ({ peerId, silent }) => !silent && (dispatcher.experience(peerId)?.ejected_for_ms ?? 0) === 0
    )
    return {
      name,
      title,
      version,
      aliases,
      protocol,
      tier,
      // Of a service that runs wherever it can, as many are wanted as there are.
      wanted: replicas === 0 ? candidates.length : replicas,
      found: candidates.length,
      healthy: healthy.length,
      workers: candidates.map(({ peerId }) => peerId)
    }
  }

  const peerRow = peerRows({ self, dispatcher, invoker })

  return async app => {
    const tags = ['mesh']
    app.get(
      '/api/services',
      { schema: { tags, summary: 'Every service this peer knows, with who offers it' } },
      async () => ({ services: [...view.services()].map(serviceRow) })
    )

    const workers = async (): Promise<object> => {
      const rows = [...view.peers()].filter(({ advert }) => advert.role === 'worker').map(peerRow)
      return { workers: rows, count: rows.length }
    }
    for (const path of ['/api/admin/workers', '/api/coordinator/workers'])
      app.get(path, { schema: { tags, summary: 'Workers this peer knows' } }, workers)

    const relays = async (): Promise<object> => {
      const rows = [...view.peers()].filter(({ advert }) => advert.role === 'relay').map(peerRow)
      return { relays: rows, count: rows.length }
    }
    for (const path of ['/api/admin/relays', '/api/admin/coordinators'])
      app.get(path, { schema: { tags, summary: 'Relays this peer knows' } }, relays)

    app.get('/api/admin/gaps', { schema: { tags, summary: 'Services that nobody offers now' } }, async () => {
      const gaps = [...view.services()].filter(({ name }) => view.candidates(name).length === 0).map(({ name }) => name)
      return {
        gaps,
        message: gaps.length === 0 ? 'every known service has a worker' : `nobody offers ${gaps.join(', ')} now`
      }
    })
  }
}
