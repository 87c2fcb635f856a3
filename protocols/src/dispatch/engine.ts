import type { Invoker, Route } from '../invocation/index.ts'
import type { CandidateSource } from '../view/index.ts'
import type { Experience } from './experience.ts'
import type { Heartbeats } from './heartbeats.ts'
import type { Clock } from './index.ts'
import type { Totals } from './totals.ts'

/** What all exchanges share. */
export interface Engine {
  view: CandidateSource
  clock: Clock
  random(): number
  experience: Experience
  heartbeats: Heartbeats
  totals: Totals
  invoke: Invoker['invoke']
  route(peerId: string): Route
  /** whether the peer can be reached without dialling it */
  connected(peerId: string): boolean
}
