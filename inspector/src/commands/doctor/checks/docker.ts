import { join } from 'node:path'
import { Agent, request } from 'undici'
import type { Check, Verdict } from '../index.ts'

export const docker: Check = {
  id: 'docker',
  title: 'Docker',
  limit: 3000,
  late: 'the engine takes connections and does not answer: restart it',
  async look({ init }, signal) {
    const outcomes: Array<{ socket: string; code: string | number }> = []
    for (const socket of init.dockerSockets ?? socketsOf(init.env))
      outcomes.push({ socket, code: await ping(socket, signal) })
    return judgeDocker(outcomes)
  }
}

function socketsOf({ DOCKER_HOST, XDG_RUNTIME_DIR }: Record<string, string | undefined>): string[] {
  if (DOCKER_HOST?.startsWith('unix://') === true) return [DOCKER_HOST.slice('unix://'.length)]
  return [
    '/var/run/docker.sock',
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'docker.sock'), join(XDG_RUNTIME_DIR, 'podman/podman.sock')] : []),
    '/run/podman/podman.sock'
  ]
}

/** @returns the status that an engine answers with, or the code of what went wrong */
async function ping(socketPath: string, signal: AbortSignal): Promise<string | number> {
  const agent = new Agent({ connect: { socketPath } })
  try {
    const { statusCode, body } = await request('http://docker/_ping', { dispatcher: agent, signal })
    await body.dump()
    return statusCode
  } catch (err) {
    signal.throwIfAborted()
    return err instanceof Error && 'code' in err ? String(err.code) : 'UNKNOWN'
  } finally {
    await agent.destroy()
  }
}

/** @param outcomes the status, or the code of an error, at each place where an engine may listen */
export function judgeDocker(outcomes: ReadonlyArray<{ socket: string; code: string | number }>): Verdict {
  const good = outcomes.find(({ code }) => code === 200)
  if (good != null) return { state: 'well', found: `an engine answers at ${good.socket}` }
  const there = outcomes.find(({ code }) => code !== 'ENOENT')
  if (there == null)
    return { state: 'none', found: 'no socket: services in containers are not started here, all else works' }
  if (there.code === 'EACCES')
    return {
      state: 'wrong',
      found: `${there.socket} may not be used by this user`,
      fix: 'add the user to the group that owns the socket (docker), and sign in again'
    }
  return {
    state: 'wrong',
    found: `${there.socket} is there, and no engine answers (${there.code})`,
    fix: 'start the engine: systemctl start docker, or podman.socket'
  }
}
