/**
 * The container engine of this machine: whether there is one, what it can do, and the few things that are asked of it.
 * Any engine that speaks Docker's API will do, Podman's service too. It may go away and come back.
 *
 * @example
 * ```ts
 * const engine = createEngine({ env: process.env, log })
 * await engine.start()
 * if (engine.status.state === 'ready') console.log(engine.status.engine.version)
 * const { docker, network } = await engine.need()
 * ```
 */
import type Docker from 'dockerode'
import type { Logger } from 'pino'
import { LocalEngine } from './engine.ts'
import type { OwnContainer } from './own-container.ts'

export { askEngine, type EngineAnswer } from './ask.ts'
export { exposedBy } from './exposes.ts'
export { explainFailure, LaunchError } from './failure.ts'
export { removeContainers } from './leftovers.ts'
export { type ContainerPlan, type ContainerPlanInit, imageReference, planContainer } from './options.ts'
export { type EnginePlace, enginePlaces, parsePlace, showPlace } from './places.ts'
export { pullImage } from './pull.ts'
export { judgeAnswers, type NoEngine } from './verdict.ts'

/** What an engine says of itself. */
export interface EngineInfo {
  name: 'Docker' | 'Podman'
  version: string
  /** how a container is given a GPU; undefined where the engine can't */
  gpu?: 'nvidia' | 'cdi'
  /** whether swap can be limited apart from memory */
  swapLimit: boolean
}

/**
 * - `ready`: an engine answers
 * - `none`: there is no socket
 * - `failed`: there is one, but not to be used, or nobody answers
 * - `off`: its owner says so
 */
export type EngineStatus =
  | { state: 'ready'; engine: EngineInfo /** the socket or URL */; place: string }
  | { state: 'none' | 'failed' | 'off' /** for people, with what to do */; reason: string }

/**
 * How this daemon reaches containers: `loopback`, where it runs on the engine's own machine and containers publish to
 * 127.0.0.1; or over networks that it is in itself, as a container beside them.
 */
export type Reach = { kind: 'loopback' } | { kind: 'networks'; names: readonly [string, ...string[]] }

export interface ReadyEngine {
  docker: Docker
  /** its socket, or its URL */
  place: string
  info: EngineInfo
  reach: Reach
}

export interface ContainerEngine {
  readonly status: EngineStatus
  /** marks the containers of this life of the daemon */
  readonly run: string
  /** Looks for an engine, then watches it. Resolves when the first look is over, which takes no longer than some seconds. */
  start(): Promise<void>
  stop(): void
  /** Looks anew if none was there. @throws {LaunchError} when there is none, or its containers can't be reached from here */
  need(): Promise<ReadyEngine>
  /** called when {@link status} has another state */
  addListener(listener: () => void): () => void
}

export interface EngineInit {
  /** as in HEDGEROW_DOCKER_SOCKET: a path, a URL or `off`. @default DOCKER_HOST, then the usual places */
  socket?: string
  env: Record<string, string | undefined>
  /** milliseconds between two looks. @default 10,000 */
  interval?: number
  /** whether this daemon is a container itself. @default as /proc says */
  own?: OwnContainer
  log: Logger
}

export function createEngine(init: EngineInit): ContainerEngine {
  return new LocalEngine(init)
}
