/**
 * Bounds on the connections of one listener: in all, of one address, and of those that never asked for anything
 * (half-open ones). Where there are too many, the one that has waited longest without a request on it makes room, so that
 * whoever holds connections open for nothing keeps nobody out.
 */

import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { reset } from '@hedgerow/protocols/forward/splice'
import { countedAs } from './address.ts'
import { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, MAX_SILENT_CONNECTIONS } from './constants.ts'

export interface ConnectionsInit {
  /** @default 4096 */
  max?: number
  /** of one address other than loopback's usual ones, where proxies are. @default 512 */
  maxPerAddress?: number
  /** that never sent a request. @default 1024 */
  maxSilent?: number
  /** whether somebody takes upgrades of this server, whose connections are then in use until they end */
  upgrades?: boolean
}

interface State {
  address: Address
  /** requests and upgrades under way */
  active: number
}

interface Address {
  name: string
  connections: number
  /** those with no request on them, the one that has waited longest first */
  waiting: Set<Socket>
}

/** Where proxies and tunnels of this machine come from, with everybody's requests. */
const SHARED = new Set(['127.0.0.1', '::1'])

export class Connections {
  readonly #init: Required<Omit<ConnectionsInit, 'upgrades'>>
  readonly #states = new Map<Socket, State>()
  /** those that never sent a request, the oldest first */
  readonly #silent = new Set<Socket>()
  /** those with no request on them, the one that has waited longest first */
  readonly #waiting = new Set<Socket>()
  readonly #addresses = new Map<string, Address>()
  #requests = 0

  constructor(server: Server, init: ConnectionsInit = {}) {
    this.#init = {
      max: init.max ?? MAX_CONNECTIONS,
      maxPerAddress: init.maxPerAddress ?? MAX_CONNECTIONS_PER_ADDRESS,
      maxSilent: init.maxSilent ?? MAX_SILENT_CONNECTIONS
    }
    server.on('connection', this.#add)
    server.prependListener('request', ({ socket }, response) => {
      const state = this.#begin(socket)
      this.#requests++
      response.once('close', () => {
        this.#requests--
        if (state != null && --state.active === 0 && this.#states.has(socket)) this.#wait(socket, state)
      })
    })
    if (init.upgrades === true) server.prependListener('upgrade', ({ socket }) => void this.#begin(socket))
  }

  get size(): number {
    return this.#states.size
  }

  /** requests under way */
  get requests(): number {
    return this.#requests
  }

  #begin(socket: Socket): State | undefined {
    const state = this.#states.get(socket)
    if (state == null) return undefined
    state.active++
    this.#silent.delete(socket)
    this.#waiting.delete(socket)
    state.address.waiting.delete(socket)
    return state
  }

  #wait(socket: Socket, { address }: State): void {
    this.#waiting.add(socket)
    address.waiting.add(socket)
  }

  #add = (socket: Socket): void => {
    const name = countedAs(socket.remoteAddress ?? '')
    const address = this.#addresses.get(name) ?? { name, connections: 0, waiting: new Set() }
    address.connections++
    this.#addresses.set(name, address)
    const state: State = { address, active: 0 }
    this.#states.set(socket, state)
    this.#silent.add(socket)
    this.#wait(socket, state)
    socket.once('close', () => this.#remove(socket))
    const { max, maxPerAddress, maxSilent } = this.#init
    if (address.connections > maxPerAddress && !SHARED.has(name)) this.#drop(first(address.waiting))
    else if (this.#silent.size > maxSilent) this.#drop(first(this.#silent))
    else if (this.#states.size > max) this.#drop(first(this.#waiting))
  }

  #remove(socket: Socket): void {
    const state = this.#states.get(socket)
    if (state == null) return
    this.#states.delete(socket)
    this.#silent.delete(socket)
    this.#waiting.delete(socket)
    const { address } = state
    address.waiting.delete(socket)
    if (--address.connections === 0) this.#addresses.delete(address.name)
  }

  /** At once, with a reset: whoever opened it for nothing is sent nothing. Gone before its close is heard of. */
  #drop(socket: Socket | undefined): void {
    if (socket == null) return
    this.#remove(socket)
    reset(socket)
  }
}

function first<T>(set: Set<T>): T | undefined {
  for (const one of set) return one
  return undefined
}
