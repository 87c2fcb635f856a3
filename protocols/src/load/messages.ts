import { LoadReport as Wire } from '../proto/gen/hedgerow.pb.ts'
import { checkName, checkNumber } from '../statement/checks.ts'
import { BUSY_INTERVAL, type LoadReport, MAX_INTERVAL } from './index.ts'

const MAX_REQUESTS = 1_000_000
/** an hour, in milliseconds: whoever claims more isn't chosen anyway */
const MAX_LATENCY = 60 * 60_000

export function encodeLoadReport(report: LoadReport): Uint8Array {
  return Wire.encode(report).finish()
}

/** @param peerId the envelope's signer @throws {InvalidMessage} */
export function decodeLoadReport(bytes: Uint8Array, peerId: string): LoadReport {
  const wire = Wire.decode(bytes)
  return {
    peerId,
    sequence: wire.sequence,
    service: checkName('service', wire.service),
    inFlight: checkNumber('inFlight', wire.inFlight, 0, MAX_REQUESTS),
    queued: checkNumber('queued', wire.queued, 0, MAX_REQUESTS),
    concurrency: checkNumber('concurrency', wire.concurrency, 1, MAX_REQUESTS),
    latency: checkNumber('latency', wire.latency, 0, MAX_LATENCY),
    errorRate: checkNumber('errorRate', wire.errorRate, 0, 1),
    interval: checkNumber('interval', wire.interval, BUSY_INTERVAL / 10, MAX_INTERVAL)
  }
}
