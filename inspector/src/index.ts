/**
 * What the `hedgerow` command is made of: a source that answers (a daemon, or a peer of its own), and the commands as
 * functions from a source to data. The command line and the tables are above them.
 *
 * @example
 * ```ts
 * const source = await openSource({ relay: 'https://mesh.example.org' }, { env: process.env, signal })
 * const { peers } = await listPeers(source, signal)
 * await source.close()
 * ```
 */
export { type Called, type CallOptions, callService, prepareCall } from './commands/call.ts'
export { dhtGet, dhtProviders, dhtTopology } from './commands/dht.ts'
export { type DoctorInit, type DoctorReport, examine } from './commands/doctor/index.ts'
export { type ExplainReport, explainRequest } from './commands/explain.ts'
export { type InspectReport, inspectPeer } from './commands/inspect.ts'
export { listPeers, type PeersReport } from './commands/peers.ts'
export { type PingReport, pingPeer } from './commands/ping.ts'
export { listServices, type ServicesReport } from './commands/services.ts'
export { type Snapshot, takeSnapshot } from './commands/top.ts'
export { type FailureCode, InspectorError } from './errors.ts'
export * from './source/index.ts'
