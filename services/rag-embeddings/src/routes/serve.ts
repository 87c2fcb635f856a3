import type { FastifyReply, FastifyRequest } from 'fastify'
import { notHolder, type PassedOn, passOn, wasPassedOn } from '../mesh/pass-on.ts'
import type { Parts } from '../service.ts'

export interface Served {
  collection: string
  what: 'read' | 'add' | 'change'
  /** the same request for another instance */
  elsewhere: PassedOn
  /** answers from the copy here */
  here(): unknown
  /** answers when no instance holds the collection */
  nowhere(): unknown
}

/** Milliseconds until a holder begins to answer. */
export const READ_TIMEOUT = 3000
export const WRITE_TIMEOUT = 30_000

/** Answers a request where its collection is held: here, or at the first holder that answers. */
export async function serve(
  { store, replicator, holders }: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  { collection, what, elsewhere, here, nowhere }: Served
): Promise<unknown> {
  if (wasPassedOn(request)) {
    if (store.collection(collection) == null) throw notHolder(collection)
    return here()
  }
  const place = await replicator.place(collection, what)
  if (place.here) return here()
  const { peers } = place
  if (peers.length === 0) return nowhere()
  const otherwise = (): Promise<string[]> => replicator.unadvertised(collection, peers)
  return passOn(request, reply, holders, { peers, otherwise }, elsewhere)
}
