import type { ForwardedReport } from '../commands/forward.ts'
import { bytes, milliseconds, shortId, way } from './format.ts'
import { printable, type Style } from './style.ts'

/** The one line about a connection that is over. */
export function renderForwarded(report: ForwardedReport, { paint }: Style): string {
  const { client, worker, path, transport, sent, received, ms, error, request_id } = report
  return [
    paint(error == null ? 'green' : 'red', error == null ? 'ended' : printable(error)),
    printable(client),
    ...(worker == null ? [] : [shortId(worker)]),
    ...(path == null ? [] : [way(printable(path), transport == null ? null : printable(transport))]),
    `${bytes(sent)} sent`,
    `${bytes(received)} received`,
    milliseconds(ms),
    ...(request_id == null ? [] : [paint('dim', `request ${printable(request_id)}`)])
  ].join('  ')
}
