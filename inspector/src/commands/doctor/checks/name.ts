import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Check, Verdict } from '../index.ts'

export const name: Check = {
  id: 'name',
  title: 'name',
  limit: 3000,
  late: 'the name server of this machine does not answer: look at its network, and at /etc/resolv.conf',
  async look({ url }) {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0) return judgeName(host, [host])
    try {
      return judgeName(
        host,
        (await lookup(host, { all: true })).map(({ address }) => address)
      )
    } catch (err) {
      return judgeName(host, err instanceof Error && 'code' in err ? String(err.code) : 'ENOTFOUND')
    }
  }
}

/** @param found addresses, or the code of what went wrong */
export function judgeName(host: string, found: string[] | string): Verdict {
  if (found === 'EAI_AGAIN')
    return {
      state: 'wrong',
      found: `${host} could not be looked up now`,
      fix: 'is this machine online? If it is, look at its name server'
    }
  if (typeof found === 'string' || found.length === 0)
    return {
      state: 'wrong',
      found: `there is no ${host}`,
      fix: 'look for a slip in the URL; the name of a quick tunnel changes at each start of its relay'
    }
  if (found[0] === host) return { state: 'well', found: `${host} is an address` }
  const more = found.length > 3 ? ` and ${found.length - 3} more` : ''
  return { state: 'well', found: `${host} is ${found.slice(0, 3).join(', ')}${more}` }
}
