import type { LoadReport } from '../load/index.ts'
import { SILENT_GRACE, SILENT_INTERVALS, SILENT_SLACK } from './constants.ts'

/** A load report and when it arrived. */
export interface HeardLoad {
  report: LoadReport
  at: number
}

/** When a worker counts as silent if nothing more is heard of it. @param advertAt when its advert arrived */
export function silentFrom(advertAt: number, load: HeardLoad | undefined): number {
  const trusted = advertAt + SILENT_GRACE
  return load == null ? trusted : Math.max(trusted, load.at + SILENT_INTERVALS * load.report.interval + SILENT_SLACK)
}
