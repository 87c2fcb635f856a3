/** Which documents a request may see: as confidential as it says it is itself, and no more than whoever asks may see. */
import type { FastifyRequest } from 'fastify'
import { CALLER_CLASSES, DATA_CLASS } from './mesh/messages.ts'

/** From the least confidential on; each includes those before it. A mesh's own classes include nothing else. */
const LADDER = ['public', 'internal', 'confidential']
/** What a request may see that doesn't say of which class it is. */
const UNSAID = 'internal'

export type MaySee = (dataClass: string | undefined) => boolean

/**
 * A request that says `confidential` goes by ways on which nobody reads along who may not, so what is confidential is
 * told to such a request only. Without a mesh in front nobody says what the caller may see.
 */
export function seenBy({ headers }: Pick<FastifyRequest, 'headers'>): MaySee {
  const declared = [one(headers[DATA_CLASS]) ?? UNSAID]
  const caller = one(headers[CALLER_CLASSES])?.split(',')
  return dataClass =>
    dataClass == null || (includes(declared, dataClass) && (caller == null || includes(caller, dataClass)))
}

function includes(classes: readonly string[], dataClass: string): boolean {
  const rank = LADDER.indexOf(dataClass)
  return classes.includes(dataClass) || (rank !== -1 && classes.some(name => LADDER.indexOf(name) > rank))
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
