import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Where a listening server can be reached on this machine. */
export function urlOf(app: FastifyInstance): string {
  const address: AddressInfo | string | null = app.server.address()
  if (address == null || typeof address === 'string') throw new Error('the server does not listen')
  const host = address.address === '0.0.0.0' || address.address === '::' ? '127.0.0.1' : address.address
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
