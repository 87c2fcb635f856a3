import { clientInvite } from '../../../source/member.ts'
import type { Check, Verdict } from '../index.ts'

export const mesh: Check = {
  id: 'mesh',
  title: 'mesh',
  limit: 1000,
  needs: ['relay'],
  late: 'try again',
  async look({ bootstrap, init }) {
    const { invite, credential, env } = init
    const brings =
      credential != null || env.HEDGEROW_CREDENTIAL
        ? 'a credential'
        : invite != null || (await clientInvite(env.HEDGEROW_INVITE)) != null
          ? 'an invite'
          : undefined
    return judgeMesh({ name: bootstrap?.mesh ?? '', closed: bootstrap?.authority != null, brings })
  }
}

/** @param brings what this command has to be let in by */
export function judgeMesh({
  name,
  closed,
  brings
}: {
  name: string
  closed: boolean
  brings: string | undefined
}): Verdict {
  if (!closed)
    return { state: 'well', found: `${name} is open: anybody may join, and nothing confidential may be sent` }
  const has = brings == null ? 'none is named here, so this command comes as a guest' : `${brings} is named here`
  return { state: 'well', found: `${name} is closed: an invite or a credential is needed; ${has}` }
}
