import type { Check } from '../index.ts'
import { clock } from './clock.ts'
import { credential } from './credential.ts'
import { dht } from './dht.ts'
import { direct } from './direct.ts'
import { docker } from './docker.ts'
import { entry } from './entry.ts'
import { events } from './events.ts'
import { gpu } from './gpu.ts'
import { join } from './join.ts'
import { mesh } from './mesh.ts'
import { name } from './name.ts'
import { nat } from './nat.ts'
import { relay } from './relay.ts'
import { reservation } from './reservation.ts'
import { routes } from './routes.ts'
import { websocket } from './websocket.ts'

/** In the order in which they are told; each waits for earlier ones only. */
export const CHECKS: readonly Check[] = [
  ...[name, relay, websocket, clock, mesh, credential],
  ...[join, dht, events, reservation, nat, entry, direct],
  ...[gpu, docker, routes]
]
