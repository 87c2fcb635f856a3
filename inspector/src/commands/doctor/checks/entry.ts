import type { EntryClaim } from '../../../source/shapes.ts'
import type { Check, Verdict } from '../index.ts'

export const entry: Check = {
  id: 'entry',
  title: 'entry point',
  limit: 3000,
  after: ['nat'],
  late: 'the daemon of this machine does not answer',
  async look({ local }, signal) {
    return judgeEntry(local == null ? undefined : await local.entryClaims(signal))
  }
}

/** @param claims addresses by which the daemon of this machine means to be an entry point; undefined when there is none */
export function judgeEntry(claims: readonly EntryClaim[] | undefined): Verdict {
  if (claims == null) return { state: 'none', found: 'no daemon of this machine was asked' }
  if (claims.length === 0)
    return {
      state: 'none',
      found:
        "this machine has no address of the internet, and need not: relays lead to it. HEDGEROW_TUNNEL, or HEDGEROW_UPNP=on where the router's owner agrees, would give it one"
    }
  const proved = claims.filter(({ verified }) => verified)
  if (proved.length > 0)
    return {
      state: 'well',
      found: `others reach it at ${proved.map(({ addr, kind }) => `${addr} (${kind})`).join(', ')}`
    }
  const [{ addr, problem } = { addr: '', problem: undefined }] = claims
  const found = `nobody has reached it at ${addr}${problem == null ? ' yet' : `: ${problem}`}`
  if (problem == null || /no other peer/.test(problem)) return { state: 'none', found }
  return {
    state: 'wrong',
    found,
    fix: 'let connections to that port in (firewall, router), or use a tunnel (docs/relay.md); its log says which setting it comes from'
  }
}
