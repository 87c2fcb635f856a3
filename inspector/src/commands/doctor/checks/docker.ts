import { askEngine, type EngineAnswer, enginePlaces, judgeAnswers } from '@hedgerow/daemon/containers'
import type { Check, Verdict } from '../index.ts'

export const docker: Check = {
  id: 'docker',
  title: 'Docker',
  limit: 6000,
  late: 'the engine takes connections and does not answer: restart it',
  async look({ init }, signal) {
    const { HEDGEROW_DOCKER_SOCKET: setting } = init.env
    if (init.dockerSockets == null && setting === 'off') return { state: 'none', found: 'off (HEDGEROW_DOCKER_SOCKET)' }
    const places = init.dockerSockets?.map(path => ({ path })) ?? enginePlaces(setting || undefined, init.env)
    if (!Array.isArray(places)) {
      return {
        state: 'wrong',
        found: `${setting ? 'HEDGEROW_DOCKER_SOCKET' : 'DOCKER_HOST'} is ${places.unusable}, which a daemon can't use`,
        fix: 'name a socket, or a tcp:// URL of this machine, in HEDGEROW_DOCKER_SOCKET'
      }
    }
    const answers: EngineAnswer[] = []
    for (const place of places) {
      answers.push(await askEngine(place, signal))
      signal.throwIfAborted()
    }
    return judgeDocker(answers)
  }
}

/** @param answers what was found at each place where an engine may listen */
export function judgeDocker(answers: readonly EngineAnswer[]): Verdict {
  const verdict = judgeAnswers(answers)
  if (verdict.state === 'ready') {
    const { name, version, gpu } = verdict.engine
    const gpus = gpu == null ? 'it can give containers no GPU' : 'it can give containers a GPU'
    return { state: 'well', found: `${name} ${version} answers at ${verdict.place}; ${gpus}` }
  }
  if (verdict.state === 'failed') return { state: 'wrong', found: verdict.found, fix: verdict.fix }
  return { state: 'none', found: 'no socket: services in containers are not started here, all else works' }
}
