import { join } from 'node:path'
import type { Trust } from '@hedgerow/protocols/membership'
import { Rates } from '@hedgerow/protocols/rate'
import type { View } from '@hedgerow/protocols/view'
import { CLIENT_RATE } from '../access/constants.ts'
import { AUDIT_FOLDER, AUDIT_SIZE, type AuditLog, NO_AUDIT_LOG, openAuditLog, workerEntry } from '../audit/index.ts'
import { Receipts } from '../receipts/index.ts'
import {
  type ConnectionServing,
  ContextTable,
  createServing,
  type Served,
  type Serving,
  type ServingComponents,
  serveConnections,
  vouching
} from '../serving/index.ts'
import type { PeerComponents, PeerConfig } from './index.ts'
import { clientRights, isClient } from './member.ts'
import type { Network } from './network.ts'
import type { Phase } from './phase.ts'

/** What of a peer answers others, and the traces that leaves. */
export interface Serves {
  readonly serving: Serving
  /** the same for services that speak TCP */
  readonly connections: ConnectionServing
  readonly contexts: ContextTable
  readonly audit: AuditLog
  /** undefined on a peer that runs no services */
  readonly receipts: Receipts | undefined
  /** whether a peer has not asked too often */
  mayAsk(peerId: string): boolean
}

export async function createServes(
  { node, gate, view, invoker }: Pick<Network, 'node' | 'gate' | 'view' | 'invoker'>,
  config: PeerConfig,
  {
    services,
    traces,
    log,
    trust,
    phase
  }: Pick<PeerComponents, 'services' | 'traces' | 'log'> & { trust: Trust; phase: Phase }
): Promise<Serves> {
  const { auditDays: days = 0, auditMb = AUDIT_SIZE, dataDir, mesh, privateKey, role } = config
  const self = node.peerId.toString()
  const audit =
    days === 0 ? NO_AUDIT_LOG : await openAuditLog({ folder: join(dataDir, AUDIT_FOLDER), days, maxSize: auditMb, log })
  const receipts =
    role === 'worker' ? new Receipts({ mesh, privateKey, peerId: self, now: () => performance.now() }) : undefined
  const contexts = new ContextTable()
  const clientRates = new Rates({ ...CLIENT_RATE, now: () => performance.now() })
  const mayAsk = (peer: string): boolean => peer === self || !isClient(gate.member(peer)) || clientRates.take(peer)
  const note = (served: Served): void => {
    const path = served.peer === self ? 'local' : (invoker.route(served.peer)?.path ?? null)
    // What callers name that doesn't exist may be anything.
    audit.write(workerEntry({ ...served, service: view.resolve(served.service) ?? '' }, self, path))
  }
  const components: ServingComponents = {
    mayAsk,
    services,
    contexts,
    rights: () => trust.rights,
    callerRights: caller => (caller === self ? undefined : clientRights(gate.member(caller))),
    callerClasses: caller => (caller === self ? trust.rights : gate.member(caller)?.credential)?.classes ?? [],
    draining: () => phase.draining,
    vouches: vouching({ self, roleOf: peer => view.peer(peer)?.advert.role }),
    mayActFor: (peer, service) => peer === self || runs(view, peer, service),
    onError: err => log.error({ err }, 'serving failed'),
    tracing: traces?.tracing,
    onServed: served => {
      receipts?.add(served)
      note(served)
    },
    onConnection: note
  }
  return {
    serving: createServing(components),
    connections: serveConnections(components),
    contexts,
    audit,
    receipts,
    mayAsk
  }
}

/** It offers a service, or could: an instance catches up with the others before it is offered. */
function runs(view: Pick<View, 'peer'>, peerId: string, service: string): boolean {
  const advert = view.peer(peerId)?.advert
  return (
    advert != null &&
    (advert.services.some(({ contract }) => contract.name === service) || advert.eligible.includes(service))
  )
}
