import type Docker from 'dockerode'
import { CALL_TIMEOUT, LABELS, LEFTOVER_GRACE, MAX_LEFTOVERS } from './constants.ts'
import { statusOf } from './failure.ts'
import { containerName } from './options.ts'

export interface RemoveInit {
  peerId: string
  /** those of one service only */
  service?: string
  /** whether one is still wanted, by its labels. @default none is */
  wanted?(labels: { service: string | undefined; run: string | undefined }): boolean
}

/**
 * Ends and removes containers of this peer: what a life of its daemon left behind that ended without a word. Volumes stay.
 *
 * @returns how many there were
 */
export async function removeContainers(docker: Docker, { peerId, service, wanted }: RemoveInit): Promise<number> {
  const label = [`${LABELS.peer}=${peerId}`, ...(service == null ? [] : [`${LABELS.service}=${service}`])]
  const abortSignal = AbortSignal.timeout(CALL_TIMEOUT)
  const found = await docker.listContainers({ all: true, filters: { label }, abortSignal })
  const stale = found
    // Whoever makes an image can label it, and so whatever somebody else runs of it; names are given here.
    .filter(
      ({ Names, Labels }) =>
        Names?.some(name => name === `/${containerName(Labels?.[LABELS.service] ?? '', peerId)}`) === true
    )
    .filter(({ Labels }) => wanted?.({ service: Labels?.[LABELS.service], run: Labels?.[LABELS.run] }) !== true)
    .slice(0, MAX_LEFTOVERS)
  await Promise.all(
    stale.map(({ Id }) =>
      remove(docker.getContainer(Id), abortSignal).catch(err => {
        // Somebody else has removed it, or does so now.
        if (![404, 409].includes(statusOf(err) ?? 0)) throw err
      })
    )
  )
  return stale.length
}

/** Asks it to end first: it may be a database. */
async function remove(container: Docker.Container, abortSignal: AbortSignal): Promise<void> {
  await container.stop({ t: LEFTOVER_GRACE, abortSignal }).catch(() => {})
  await container.remove({ force: true, v: true, abortSignal })
}
