import { ServiceError } from '@hedgerow/service-kit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { notHolder, type PassedOn, passedOnAs, passOn } from '../mesh/pass-on.ts'
import type { Parts } from '../service.ts'

export interface Served {
  collection: string
  what: 'read' | 'add' | 'change'
  /** the same request for another instance */
  elsewhere: PassedOn
  /** answers from the copy here; `sure` is false when something may be missing in it */
  here(copy: { sure: boolean }): unknown
  /** answers when no instance holds the collection */
  nowhere(): unknown
}

/** Milliseconds until a holder begins to answer. */
export const READ_TIMEOUT = 3000
export const WRITE_TIMEOUT = 30_000

/** Answers a request where its collection is held: here, or at the first holder that answers. */
export async function serve(
  parts: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  served: Served
): Promise<unknown> {
  const { store, replicator, holders } = parts
  const { collection, what, elsewhere, nowhere } = served
  const as = passedOnAs(request)
  if (as != null) {
    if (as === 'first' && what === 'add') await begin(parts, collection)
    if (store.collection(collection) == null) throw notHolder(collection)
    return answerHere(parts, served)
  }
  const place = await replicator.place(collection, what)
  if (place.here) return answerHere(parts, served)
  const { peers } = place
  if (peers.length === 0) return nowhere()
  const passed = await passOn(
    request,
    reply,
    holders,
    {
      peers,
      otherwise: () => replicator.unadvertised(collection, peers),
      as: place.begin ? 'first' : 'holder'
    },
    elsewhere
  )
  if (passed) return reply
  if (place.begin) await begin(parts, collection)
  // better than nothing, and it says so
  if (store.collection(collection) != null) return answerHere(parts, served)
  reply.header('retry-after', '5')
  throw new ServiceError(503, 'NoHolder', 'none of the instances that hold this collection can be reached now')
}

/** Marks an answer in which something may be missing, because a holder that may have more couldn't be asked. */
export function partialUnless(sure: boolean): { partial?: true } {
  return sure ? {} : { partial: true }
}

async function begin({ firstHolder, store, upkeep }: Parts, collection: string): Promise<void> {
  await firstHolder.begin(collection)
  if (store.collection(collection)?.complete === false) upkeep.soon(collection)
}

async function answerHere(parts: Parts, { collection, what, here }: Served): Promise<unknown> {
  const { store, firstHolder, freshness } = parts
  // an instance that begins a collection doesn't know yet who else does
  if (what !== 'read') await firstHolder.begun(collection)
  const sure = what !== 'read' || (await freshness.ensure(collection))
  // the copy may have been let go meanwhile
  if (store.collection(collection) == null) throw notHolder(collection)
  return here({ sure })
}
