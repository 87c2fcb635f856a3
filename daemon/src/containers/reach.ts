import type Docker from 'dockerode'
import { CALL_TIMEOUT, MAX_NETWORKS } from './constants.ts'
import { explainFailure, LaunchError, statusOf } from './failure.ts'
import type { Reach } from './index.ts'
import type { OwnContainer } from './own-container.ts'
import { type EnginePlace, showPlace } from './places.ts'

const LOOPBACK = /^http:\/\/(127\.|localhost[:/]|\[::1\])/

/** How containers of an engine are reached from here. @throws {LaunchError} when they aren't */
export async function findReach(docker: Docker, place: EnginePlace, own: OwnContainer): Promise<Reach> {
  const here = 'path' in place || LOOPBACK.test(place.url)
  if (own.id != null) {
    const names = await networksOf(docker, own.id)
    if (names != null) return reachOver(names)
  }
  if (own.certain) {
    throw new LaunchError(
      `this daemon runs in a container that the engine at ${showPlace(place)} does not know: mount the socket of the engine that runs it`
    )
  }
  if (!here) {
    throw new LaunchError(
      `the engine at ${showPlace(place)} runs on another machine, whose containers can't be reached from here: name a socket of this one`
    )
  }
  return { kind: 'loopback' }
}

/** @param names of the networks that the daemon's own container is in */
export function reachOver(names: readonly string[]): Reach {
  // One that shares its host's network sees what is published there.
  if (names.includes('host')) return { kind: 'loopback' }
  const usable = names.filter(name => name !== 'none')
  const [first, ...others] = [...usable.filter(name => !isDefaultNetwork(name)), ...usable.filter(isDefaultNetwork)]
  if (first == null) throw new LaunchError("this daemon's own container is in no network: give it one")
  return { kind: 'networks', names: [first, ...others.slice(0, MAX_NETWORKS - 1)] }
}

/** Networks without names in DNS. */
export const isDefaultNetwork = (name: string): boolean => name === 'bridge' || name === 'podman'

async function networksOf(docker: Docker, id: string): Promise<string[] | undefined> {
  try {
    const { NetworkSettings, HostConfig } = await docker
      .getContainer(id)
      .inspect({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT) })
    return HostConfig.NetworkMode === 'host' ? ['host'] : Object.keys(NetworkSettings.Networks ?? {})
  } catch (err) {
    if (statusOf(err) === 404) return undefined
    throw explainFailure(err, "cannot look at the daemon's own container")
  }
}
