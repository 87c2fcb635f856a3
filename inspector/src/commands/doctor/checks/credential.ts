import { ProblemError } from '../../../errors.ts'
import { duration } from '../../../render/format.ts'
import type { MeshPlace } from '../../../source/index.ts'
import type { Check, Verdict } from '../index.ts'

export const credential: Check = {
  id: 'credential',
  title: 'credential',
  limit: 3000,
  late: 'the daemon of this machine does not answer: restart it, and look into its log',
  async look({ local, now }, signal) {
    if (local == null) return { state: 'none', found: 'no daemon runs on this machine' }
    try {
      return judgeCredential(await local.mesh(signal), local.via.name, now())
    } catch (err) {
      if (!(err instanceof ProblemError) || (err.status !== 401 && err.status !== 403)) throw err
      return { state: 'none', found: `${local.via.name} tells only who has a key: --key` }
    }
  }
}

export function judgeCredential(
  { closed, credential }: Pick<MeshPlace, 'closed' | 'credential'>,
  name: string,
  now: number
): Verdict {
  if (!closed) return { state: 'well', found: `${name} needs none: its mesh is open` }
  if (credential == null)
    return {
      state: 'wrong',
      found: `${name} has none`,
      fix: 'give it an invite (HEDGEROW_INVITE), or sign it one: hedgerow mesh sign'
    }
  const left = (Date.parse(credential.expires_at) - now) / 1000
  const [roles, ends] = [credential.roles.join(', '), left > 0 ? `ends in ${duration(left)}` : 'has ended']
  const found = `${name} is ${roles}; its credential ${ends}${credential.renewed ? ', and is renewed by itself' : ''}`
  if (left > 0 && credential.warning == null) return { state: 'well', found }
  const renew = credential.renewed
    ? 'its issuer must be reachable; once it has ended, a new invite is needed'
    : 'sign it a new one: hedgerow mesh sign <peer-id>'
  return { state: 'wrong', found, fix: renew }
}
