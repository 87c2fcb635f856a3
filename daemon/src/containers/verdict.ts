import type { EngineAnswer } from './ask.ts'
import type { EngineStatus } from './index.ts'

export interface NoEngine {
  state: 'none' | 'failed'
  found: string
  fix: string
}

/** What the answers of all places mean: the first engine, or why there is none and what to do. */
export function judgeAnswers(answers: readonly EngineAnswer[]): Extract<EngineStatus, { state: 'ready' }> | NoEngine {
  for (const answer of answers) {
    if ('engine' in answer) return { state: 'ready', engine: answer.engine, place: answer.place }
  }
  const failed = answers.flatMap(answer => ('code' in answer ? [answer] : []))
  const there = failed.find(({ code }) => code !== 'ENOENT')
  if (there == null) {
    const looked = failed.map(({ place }) => place)
    return {
      state: 'none',
      found:
        looked.length === 0
          ? 'no container engine is looked for'
          : `no container engine: nothing at ${looked.join(', ')}`,
      fix: 'install Docker or Podman, or name its socket in HEDGEROW_DOCKER_SOCKET'
    }
  }
  const { place, code } = there
  if (code === 'EACCES' || code === 'EPERM') {
    return {
      state: 'failed',
      found: `${place} may not be used by this user`,
      fix: 'add the user to the group that owns the socket (docker), and sign in again; a container gets it by --group-add'
    }
  }
  if (code === 403) {
    return {
      state: 'failed',
      found: `${place} answers, but refuses`,
      fix: 'a proxy before the engine must let through ping, version, info, containers, images, networks and volumes'
    }
  }
  return {
    state: 'failed',
    found: `no engine answers at ${place} (${code})`,
    fix: 'start the engine: systemctl start docker, or podman.socket'
  }
}
