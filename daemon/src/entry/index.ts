/**
 * Entry points: where others enter the mesh. A peer claims addresses ({@link Claim}), has others prove that it is there
 * ({@link Prover}), and says so in its advert with their vouches; everybody checks these and finds the same list
 * ({@link EntryPoints}), in which nobody stays who is silent for two minutes.
 *
 * @example
 * ```ts
 * const prover = new Prover({ claims, askable, ask, clock, random: Math.random, log, onChange })
 * prover.start()
 * new EntryPoints({ mesh, ledger, view, now, today }).list() // [{ peerId, kind: 'tunnel', url, ... }]
 * ```
 */
export { type Claim, kindOf, urlOfAddr } from './claim.ts'
export { ENTRY_POINT_TTL } from './constants.ts'
export { EntryFinder } from './finder.ts'
export { bestByPeer, EntryPoints, type ProvedEntry } from './points.ts'
export { type ClaimReport, Prover } from './prover.ts'
