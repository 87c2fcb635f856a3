import { ENTRY_KINDS } from '@hedgerow/protocols/advert'
import { OUTCOMES, type Outcome } from '../dial-back/index.ts'
import type { EntryPoints, Prover } from '../entry/index.ts'
import { type Instruments, one, type Sample, tally } from './instruments.ts'

export interface EntryComponents {
  prover: Pick<Prover, 'report'>
  points: Pick<EntryPoints, 'list'>
  /** what came of dials that others asked for */
  dialBacks: ReadonlyMap<Outcome, number>
}

/** Whether the mesh is entered by this peer, and by whom else. */
export function entryMetrics(instruments: Instruments, { prover, points, dialBacks }: EntryComponents): void {
  instruments.gauge('hedgerow_entry_point_claimed', 'Addresses by which this peer means to be an entry point', [], () =>
    one(prover.report().length)
  )
  instruments.gauge(
    'hedgerow_entry_point_verified',
    'Of these, addresses at which another peer has reached it',
    [],
    () => one(prover.report().filter(({ verified }) => verified).length)
  )
  instruments.gauge('hedgerow_entry_points', 'Entry points of the mesh that this peer knows, by kind', ['kind'], () =>
    tally(
      'kind',
      ENTRY_KINDS,
      points.list().map(({ kind }) => kind)
    )
  )
  instruments.counter(
    'hedgerow_dial_backs_total',
    'Dials to peers that asked whether they are reached, by what came of them',
    ['outcome'],
    () => OUTCOMES.map((outcome): Sample => [{ outcome }, dialBacks.get(outcome) ?? 0])
  )
}
